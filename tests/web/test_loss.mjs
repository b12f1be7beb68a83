/* A page that is open all day sees servers go and come back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, logIn, newPage } from './support/browser.mjs';
import { startEdge } from './support/edge.mjs';

describe('loss', () => {
  let edge;
  let browser;
  let page;
  let problems;

  before(async () => {
    edge = await startEdge();
    browser = await launch();
    await edge.tell('release', 1, 20000, 'ok');
    await edge.tell('device', 'device-1', 'lamp-1', 1);
    await edge.ready(1);
    ({ page, problems } = await newPage(browser));
    await logIn(page, edge);
    await page.getByRole('link', { name: 'lamp-1' }).waitFor();
  });
  after(async () => {
    await browser?.close();
    await edge?.end();
  });

  test('a bridge that is away is told; its return too, with the devices as they are then', async () => {
    await edge.tell('kill-bridge');
    await page.getByText('The update server does not reach the bridge.').waitFor();
    assert.equal(
      await page.getByRole('link', { name: 'lamp-1' }).isVisible(),
      true,
      'what was known is gone'
    );
    await edge.tell('start-bridge');
    await page.getByText('The update server does not reach the bridge.').waitFor({ state: 'detached' });
    await page.getByRole('row').filter({ hasText: 'lamp-1' }).getByText('Online').waitFor();
    assert.deepEqual(problems, []);
  });

  test('where the server has forgotten what was missed, all that is shown is asked for again', async () => {
    const other = await newPage(browser, { storageState: await page.context().storageState() });
    await other.page.goto(edge.url);
    await other.page.getByRole('link', { name: 'lamp-1' }).waitFor();
    await other.page.getByText('Live', { exact: true }).waitFor();
    const asked = Promise.all(
      ['/fleet', '/devices?'].map((path) =>
        other.page.waitForRequest((request) => request.url().includes(path))
      )
    );
    const body =
      'event: ready\ndata: {"server":"a test","bridge":true}\n\nevent: reset\ndata: {"reason":"old"}\n\n';
    await other.page.route('**/api/v1/events?*', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body })
    );
    // The stream of this view ends with it; the next one begins with the answer above.
    await other.page.evaluate(async () => (await import('/page/live.mjs')).want('nobody'));
    await asked;
    await other.context.close();
  });

  test('a server that is away is told; its return brings the page up to date without a reload', async () => {
    await page.evaluate(() => {
      window.notReloaded = true;
    });
    await edge.tell('kill-server');
    await page.getByText('The update server has not answered since').waitFor();
    await page.getByText('No connection').waitFor();
    assert.equal(
      await page.getByRole('link', { name: 'lamp-1' }).isVisible(),
      true,
      'what was known is gone'
    );
    await edge.tell('device', 'device-2', 'lamp-2', 1);
    await edge.tell('start-server');

    // Sessions may be the server's memory: then the page asks to log in, and goes on where it was.
    const logInForm = page.getByText('Your session has ended.');
    const list = page.getByText('Live', { exact: true });
    await logInForm.or(list).first().waitFor();
    if (await logInForm.isVisible()) {
      await page.getByLabel('User').fill(edge.user);
      await page.getByLabel('Password', { exact: true }).fill(edge.password);
      await page.getByRole('button', { name: 'Log in' }).click();
    }
    await page.getByRole('link', { name: 'lamp-2' }).waitFor();
    await page.getByText('The update server has not answered since').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => window.notReloaded), true);
    assert.deepEqual(problems, []);
  });
});
