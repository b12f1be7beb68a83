/* Every page, light and dark, wide and as on a phone: axe-core finds no serious fault, nothing sticks
 * out, and a person can do without a mouse. With MUP_WEB_SCREENSHOTS=FOLDER it leaves the pictures of
 * docs/web there. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { faults, go, launch, logIn, newPage } from './support/browser.mjs';
import { startEdge } from './support/edge.mjs';

const folder = process.env.MUP_WEB_SCREENSHOTS;
const LOOKS = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
];

describe('looks', () => {
  let edge;
  let browser;
  const uuid = [];
  let slow;
  const microbit = { urls: [] };

  before(async () => {
    edge = await startEdge();
    browser = await launch();
    const urls = [];
    for (const version of [1, 2, 3]) {
      urls.push((await edge.tell('release', version, 87800, 'ok')).url);
    }
    for (const [number, version] of [
      [1, 1],
      [2, 1],
      [3, 2],
      [4, 2],
      [5, 3],
    ]) {
      uuid.push(
        (
          await edge.tell(
            'device',
            `device-${number}`,
            `greenhouse-${number}`,
            version,
            '--interval',
            1,
            '--window',
            1024,
            '--slice',
            512
          )
        ).uuid
      );
    }
    if (folder) {
      await mkdir(folder, { recursive: true });
    }
    await edge.ready(5);
    for (const url of urls) {
      await edge.rest('POST', '/releases', { url });
    }
    await edge.rest('POST', '/releases', { url: urls[0].replace('/1/', '/77/') }).catch(() => {});
    if (folder) {
      // A slower device, to be seen in the middle of its update.
      for (const version of [1, 2, 6]) {
        microbit.urls.push((await edge.tell('release', version, 'microbit', 'ok')).url);
      }
      microbit.uuid = (await edge.tell('microbit', 'weather-mast', 1)).uuid;
      await edge.ready(6);
    }
    // One update that ended well, one that did not.
    slow = await edge.rest('POST', '/updates', { device: uuid[0], release: 2 });
    await edge.rest('POST', '/updates', { device: uuid[4], release: 1, force: true });
  });
  after(async () => {
    await browser?.close();
    await edge?.end();
  });

  for (const [scheme, width] of LOOKS) {
    test(`${scheme}, ${width} pixels wide`, async (context) => {
      const made = await newPage(browser, {
        colorScheme: scheme,
        viewport: { width, height: width < 600 ? 844 : 860 },
        reducedMotion: 'reduce',
      });
      const { page, problems } = made;
      const look = async (name) => {
        await context.test(name, async () => {
          if (folder && (width > 600 || name === 'fleet' || name === 'update')) {
            await page.screenshot({
              path: path.join(folder, `${name}-${scheme}${width > 600 ? '' : '-phone'}.png`),
              fullPage: name !== 'fleet' && name !== 'log-in',
            });
          }
          assert.deepEqual(await faults(page), []);
          const out = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth
          );
          assert.ok(out <= 0, `sticks out by ${out} pixels`);
        });
      };
      await page.goto(edge.url);
      await page.getByRole('button', { name: 'Log in' }).waitFor();
      await look('log-in');
      await logIn(page, edge);
      await page.getByRole('link', { name: 'greenhouse-1' }).waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      await look('fleet');

      await go(page, `#/devices/${uuid[0]}`);
      await page.locator('.curve[d*="L"]').waitFor();
      await page.getByRole('button', { name: 'Run: Turn the lamp on' }).click();
      await page.locator('.result').waitFor();
      const form = page.locator('[data-rpc="setInterval"]');
      await form.getByLabel('seconds').fill('4000');
      await form.getByRole('button').click();
      await form.locator('.wrong').waitFor();
      await look('device');

      await go(page, `#/update?${new URLSearchParams(uuid.slice(1).map((one) => ['device', one]))}`);
      await page.getByRole('radio').first().check();
      await page.getByText(/It may go on \d devices? of 4/).waitFor();
      await look('start');

      await go(page, `#/updates/${slow.id}`);
      await page.getByRole('heading', { name: 'Version 2 runs and is confirmed' }).waitFor();
      await look('update');
      await go(page, `#/updates/${slow.id + 1}`);
      await page.getByRole('heading', { name: 'Not newer than what runs' }).waitFor();
      await look('refused');
      if (folder && width > 600) {
        const { id } = await edge.rest('POST', '/releases', {
          url: microbit.urls[scheme === 'light' ? 1 : 2],
        });
        const update = await edge.rest('POST', '/updates', { device: microbit.uuid, release: id });
        await go(page, `#/updates/${update.id}`);
        await page.waitForFunction(() => {
          const now = document.querySelector('.bar-part .bar')?.getAttribute('aria-valuenow');
          return now > 45 && /left$/.test(document.querySelector('.figures-line').textContent);
        });
        await look('running');
        await page.getByRole('heading', { name: 'runs and is confirmed' }).waitFor();
      }
      await go(page, '#/updates');
      await page.getByRole('table').waitFor();
      await look('updates');
      await go(page, '#/releases');
      await page.getByRole('table').waitFor();
      await look('releases');
      await go(page, '#/releases/2');
      await page.getByText('Signed by the vendor whom this server trusts').waitFor();
      await look('release');
      await go(page, '#/devices/nobody');
      await page.getByRole('alert').waitFor();
      await look('error');
      assert.deepEqual(problems, []);
      await made.context.close();
    });
  }

  test('without a mouse: from the log-in to a device by the keyboard alone', async () => {
    const { page, problems, context } = await newPage(browser);
    await page.goto(edge.url);
    await page.getByLabel('User').waitFor();
    await page.keyboard.type(edge.user);
    await page.keyboard.press('Tab');
    await page.keyboard.type(edge.password);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'greenhouse-1' }).waitFor();
    for (
      let i = 0;
      i < 40 && !(await page.evaluate(() => document.activeElement.textContent === 'greenhouse-1'));
      i++
    ) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'greenhouse-1' }).waitFor();
    assert.deepEqual(problems, []);
    await context.close();
  });
});
