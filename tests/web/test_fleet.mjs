/* The list of devices with many in it: found, filtered, sorted, scrolled, by hand and by keyboard. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { launch, logIn, newPage } from './support/browser.mjs';
import { startEdge } from './support/edge.mjs';

const COUNT = 1000;

describe('many devices', () => {
  let edge;
  let browser;
  let page;
  let problems;

  before(async () => {
    edge = await startEdge();
    browser = await launch();
    await edge.tell('release', 1, 20000, 'ok');
    await edge.tell('release', 2, 20000, 'ok');
    await edge.tell('device', 'device-1', 'newer-one', 2);
    await edge.tell('fleet', COUNT);
    await edge.ready(COUNT + 1);
    ({ page, problems } = await newPage(browser));
    await logIn(page, edge);
    await page.getByText(`1,001 devices`).waitFor();
    await page.locator('.rows .row').first().waitFor();
  });
  after(async () => {
    await browser?.close();
    await edge?.end();
  });

  beforeEach(async () => {
    await page.goto(`${edge.url}/#/`);
    await page.reload();
    await page.locator('.rows .row').first().waitFor();
  });

  const names = () => page.locator('.rows .row .name a').allInnerTexts();

  test('only the rows in sight exist, and the last one is a scroll away', async () => {
    assert.ok((await page.locator('.rows .row').count()) < 60);
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await page.getByRole('link', { name: 'newer-one' }).waitFor();
    assert.ok((await page.locator('.rows .row').count()) < 60);
    await page.evaluate(() => window.scrollTo(0, 0));
  });

  test('a part of a UUID finds one; all filters are in the address and survive a reload', async () => {
    await page.getByLabel('Search').fill('000003e7-');
    await page.getByText('1 of 1,001 devices').waitFor();
    assert.deepEqual(await names(), ['000003e7-0000-4000-8000-0000000be9c4']);
    assert.match(page.url(), /search=000003e7-/);
    await page.reload();
    await page.getByText('1 of 1,001 devices').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByLabel('Search').fill('no such thing');
    await page.getByText('No device matches.').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.locator('.rows .row').first().waitFor();
  });

  test('the picture of versions filters, and so does the list of versions', async () => {
    await page.getByRole('button', { name: /v2/ }).click();
    await page.getByText('1 of 1,001 devices').waitFor();
    assert.deepEqual(await names(), ['newer-one']);
    await page.getByRole('button', { name: /v2/, pressed: true }).click();
    await page.getByLabel('Version', { exact: true }).selectOption('1');
    await page.getByText('1,000 of 1,001 devices').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
  });

  test('a head sorts, once more the other way round', async () => {
    await page.getByRole('button', { name: 'Version', exact: true }).click();
    await page
      .getByRole('columnheader', { name: 'Version', exact: true })
      .and(page.locator('[aria-sort="ascending"]'))
      .waitFor();
    await page.getByRole('button', { name: 'Version', exact: true }).click();
    await page.waitForFunction(
      () => document.querySelector('[aria-rowindex="2"] .name a')?.textContent === 'newer-one'
    );
    await page.getByRole('button', { name: 'Show all' }).waitFor({ state: 'hidden' });
  });

  test('arrow keys go from row to row, also to one that did not exist', async () => {
    await page.locator('[aria-rowindex="2"] .name a').focus();
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('ArrowDown');
    }
    assert.equal(
      await page.evaluate(() => document.activeElement.closest('.row').getAttribute('aria-rowindex')),
      '42'
    );
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What it can do' }).waitFor();
    await page.goBack();
    await page.locator('.rows .row').first().waitFor();
  });

  test('a device that changes is seen at once, and comes into a list that it matches from now on', async () => {
    const other = await newPage(browser, { storageState: await page.context().storageState() });
    await other.page.goto(`${edge.url}/#/?state=offline`);
    await other.page.getByText('No device matches.').waitFor();
    await page.getByLabel('Search').fill('newer');
    await page.getByRole('row').filter({ hasText: 'newer-one' }).getByText('Online').waitFor();
    await edge.tell('kill', 'device-1');
    await page.getByRole('row').filter({ hasText: 'newer-one' }).getByText('Offline').waitFor();
    await other.page.getByRole('link', { name: 'newer-one' }).waitFor();
    assert.deepEqual([...problems, ...other.problems], []);
    await other.context.close();
  });
});
