/* Updates as an operator does them: from the first click to confirmed, refused, gone back, several. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { go, launch, logIn, newPage } from './support/browser.mjs';
import { startEdge } from './support/edge.mjs';

const SIZE = 40000;
const STEPS = ['release', '0', '1', '2', '3', '4', '5', '6', '7'];

const standings = (page) =>
  page.locator('.sequence li').evaluateAll((items) => items.map((item) => item.dataset.standing));

describe('updating', () => {
  let edge;
  let browser;
  let page;
  let problems;
  const url = {};
  const uuid = {};

  before(async () => {
    edge = await startEdge();
    browser = await launch();
    for (const [version, fault] of [
      [1, 'ok'],
      [2, 'ok'],
      [3, 'ok'],
      [4, 'crash'],
    ]) {
      url[version] = (await edge.tell('release', version, SIZE, fault)).url;
    }
    for (const number of [1, 2, 3, 4]) {
      uuid[number] = (
        await edge.tell(
          'device',
          `device-${number}`,
          `sensor-${number}`,
          1,
          '--interval',
          3600,
          '--window',
          2048,
          '--slice',
          512
        )
      ).uuid;
    }
    await edge.rest('POST', '/releases', { url: url[1] });
    await edge.rest('POST', '/releases', { url: url[2] });
    await edge.ready(4);
    ({ page, problems } = await newPage(browser));
    await logIn(page, edge);
    await page.getByRole('link', { name: 'sensor-1' }).waitFor();
  });
  after(async () => {
    await browser?.close();
    await edge?.end();
  });

  test('from the first click to confirmed: the newest release that fits is suggested, and every step is told', async () => {
    await page.getByRole('link', { name: 'sensor-1' }).click();
    await page.getByRole('link', { name: 'Update …' }).click();
    await page.locator('[data-check="device"][data-tone="good"]').waitFor();
    assert.equal(
      await page.getByRole('radio', { checked: true }).locator('..').locator('b').innerText(),
      'mup-demo version 2'
    );
    assert.deepEqual(
      await page.locator('[data-check]').evaluateAll((items) => items.map((item) => item.dataset.tone)),
      Array(6).fill('good')
    );
    await page.getByRole('button', { name: 'Start the update' }).click();

    await page.getByRole('heading', { name: 'Version 2 runs and is confirmed' }).waitFor();
    assert.deepEqual(
      await page.locator('.sequence li').evaluateAll((items) => items.map((item) => item.dataset.step)),
      STEPS
    );
    assert.deepEqual(await standings(page), Array(9).fill('done'));
    for (const step of ['2', '4', '5', '6', '7']) {
      assert.match(
        await page.locator(`li[data-step="${step}"] .time`).innerText(),
        /^[\d.,]+ (ms|s)$/,
        `step ${step} has no time`
      );
    }
    for (const step of ['3', '4', '5']) {
      assert.match(
        await page.locator(`li[data-step="${step}"] .size`).innerText(),
        /^[\d.]+ k?B$/,
        `step ${step} has no bytes`
      );
    }
    const sent = await page.locator('li[data-step="5"] .size').innerText();
    assert.ok(Number.parseFloat(sent) >= 40, `the firmware is 40 kB, the page says ${sent}`);

    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Devices' }).click();
    const row = page.getByRole('row').filter({ hasText: 'sensor-1' });
    await row.getByText('version 2', { exact: true }).waitFor();
    await row.getByText('confirmed').waitFor();
    assert.deepEqual(problems, []);
  });

  test('while one page starts it, another that is open shows the version change by itself', async () => {
    const other = await newPage(browser, { storageState: await page.context().storageState() });
    await other.page.goto(`${edge.url}/#/devices/${uuid[2]}`);
    await other.page.getByText('version 1', { exact: true }).waitFor();
    await edge.rest('POST', '/updates', {
      device: uuid[2],
      release: { app: 'mup-demo', version: 2, hardware: 'virtual' },
    });
    await other.page.getByText('version 2', { exact: true }).waitFor();
    await other.page.getByRole('link', { name: '1 → 2' }).waitFor();
    assert.deepEqual(other.problems, []);
    await other.context.close();
  });

  test('a release of other hardware is not suggested, however new, and says why not', async () => {
    await edge.mup(
      ...['release', 'create', '--key', 'vendor.key', '--image', 'image-3', '--app', 'mup-demo'],
      ...['--hardware', 'other', '--version', '8', '--link-offset', '24576', '--repository', 'releases']
    );
    await edge.rest('POST', '/releases', { url: url[3].replace('/3/virtual', '/8/other') });
    await go(page, `#/update?device=${uuid[3]}`);
    await page.getByRole('radio', { name: 'mup-demo version 2', checked: true }).waitFor();
    const other = page.locator('.choice').filter({ hasText: 'mup-demo version 8' });
    await other.getByText('not made for this device').waitFor();
    await other.getByRole('radio').check();
    await page.locator('[data-check="fits"][data-tone="bad"]').getByText('other').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Start' }).isDisabled(), true);
    assert.deepEqual(problems, []);
  });

  test('a downgrade is not offered, and says why', async () => {
    await go(page, `#/update?device=${uuid[1]}`);
    await page.getByRole('radio', { name: 'mup-demo version 1' }).check();
    const newer = page.locator('[data-check="newer"]');
    await newer.waitFor();
    assert.equal(await newer.getAttribute('data-tone'), 'bad');
    await newer.getByText('Not newer than what runs').waitFor();
    await page.getByText('It may not go on: see above why.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Start' }).isDisabled(), true);
  });

  test('a downgrade that a program sends all the same is refused by the server, or by the device, each in words', async () => {
    const release = { app: 'mup-demo', version: 1, hardware: 'virtual' };
    const early = await edge.rest('POST', '/updates', { device: uuid[1], release });
    await go(page, `#/updates/${early.id}`);
    await page.getByRole('heading', { name: 'Not newer than what runs' }).waitFor();
    await page.getByText('Stopped by the update server').waitFor();
    assert.deepEqual(await standings(page), [
      'done',
      'done',
      'done',
      'done',
      'failed',
      ...Array(4).fill('skipped'),
    ]);

    const late = await edge.rest('POST', '/updates', { device: uuid[1], release, force: true });
    await go(page, `#/updates/${late.id}`);
    await page.getByText('Refused by the device').waitFor();
    await page.getByRole('heading', { name: 'Not newer than what runs' }).waitFor();
    await page.getByText('What to do: Choose a newer release.').waitFor();
    await page.getByText('Version 2 goes on running.').waitFor();
    assert.deepEqual(await standings(page), [
      'done',
      'done',
      'done',
      'done',
      'done',
      'failed',
      ...Array(3).fill('skipped'),
    ]);
    assert.deepEqual(problems, []);
  });

  test('a release is fetched on the page; one of another vendor is refused with the reason and stays listed', async () => {
    await go(page, '#/releases');
    await page.getByLabel('Address of its folder').fill('nowhere');
    await page.getByRole('button', { name: 'Fetch and check' }).click();
    await page.getByText('Enter an address that begins with http').waitFor();

    await edge.mup('keygen', 'stranger');
    await edge.mup(
      'release',
      'create',
      '--key',
      'stranger.key',
      '--image',
      'image-3',
      '--app',
      'mup-demo',
      '--hardware',
      'virtual',
      '--version',
      '9',
      '--link-offset',
      '24576',
      '--repository',
      'releases'
    );
    await page.getByLabel('Address of its folder').fill(url[3].replace('/3/', '/9/'));
    await page.getByRole('button', { name: 'Fetch and check' }).click();
    const refused = page.getByRole('region', { name: 'Refused' });
    await refused.getByText(url[3].replace('/3/', '/9/')).waitFor();
    await refused.getByText(/key/).first().waitFor();

    await page.getByLabel('Address of its folder').fill(url[3]);
    await page.getByRole('button', { name: 'Fetch and check' }).click();
    await page.getByText('is here and in order').waitFor();
    await page.getByRole('link', { name: 'What it is' }).click();
    await page.getByRole('heading', { name: 'mup-demo version 3' }).waitFor();
    await page.getByText('Signed by the vendor whom this server trusts').waitFor();
    await page.getByText('Digest of the manifest').waitFor();
    assert.deepEqual(problems, []);
  });

  test('several at once: all are chosen, those that cannot be reached are left alone, each is watched', async () => {
    await edge.tell('kill', 'device-4');
    await go(page, '#/');
    await page.getByRole('row').filter({ hasText: 'sensor-4' }).getByText('Offline').waitFor();
    await page.getByLabel(/^Choose all/).check();
    await page.getByRole('link', { name: 'Update 4 devices' }).click();
    await page.getByRole('radio', { name: 'mup-demo version 3' }).check();
    await page.getByText('It may go on 3 devices of 4').waitFor();
    await page.getByRole('button', { name: 'Start 3 updates' }).click();
    await page.getByText('3 confirmed').waitFor();
    assert.equal(
      await page.getByRole('row').filter({ hasText: 'Version 3 runs and is confirmed' }).count(),
      3
    );
    assert.deepEqual(problems, []);
  });

  test('a version that does not prove itself: the device went back, and the page says so', async () => {
    await edge.rest('POST', '/releases', { url: url[4] });
    const update = await edge.rest('POST', '/updates', {
      device: uuid[3],
      release: { app: 'mup-demo', version: 4, hardware: 'virtual' },
    });
    await go(page, `#/updates/${update.id}`);
    await page.getByRole('heading', { name: 'The new version did not prove itself' }).waitFor();
    await page.getByText('Version 3 runs again, and the device is well.').waitFor();
    assert.equal((await standings(page)).at(-1), 'failed');
    assert.deepEqual(problems, []);
  });

  test('an update, a release and a device that are not there are told, with a way on', async () => {
    for (const place of ['#/updates/999999', '#/releases/999999', '#/devices/nobody', '#/no/such/page']) {
      await go(page, place);
      await page.getByRole('alert').getByRole('heading').waitFor();
    }
    assert.deepEqual(problems, []);
  });
});
