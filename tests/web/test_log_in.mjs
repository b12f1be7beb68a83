/* Who may come in, how he is told that he may not, and what becomes of a page whose session ends. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { go, launch, logIn, newPage } from './support/browser.mjs';
import { startEdge } from './support/edge.mjs';

describe('logging in', () => {
  let edge;
  let browser;

  before(async () => {
    edge = await startEdge();
    browser = await launch();
  });
  const addLamp = async () => {
    await edge.tell('release', 1, 20000, 'ok');
    await edge.tell('device', 'device-1', 'lamp-1', 1);
    await edge.ready(1);
  };

  after(async () => {
    await browser?.close();
    await edge?.end();
  });

  test('nothing typed is asked for before anything is sent', async () => {
    const { page, problems, context } = await newPage(browser);
    await page.goto(edge.url);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('Enter your user name.').waitFor();
    assert.deepEqual(problems, []);
    await context.close();
  });

  test('a wrong password and a user who is not there get the same words, and the right one comes in', async () => {
    const { page, problems, context } = await newPage(browser);
    await logIn(page, edge, 'not-it');
    await page.getByText('User and password do not belong together.').waitFor();
    assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '', 'the password stays');
    await logIn(page, edge, 'not-it', 'nobody');
    await page.getByText('User and password do not belong together.').waitFor();
    await logIn(page, edge);
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
    await page.getByText('No device has announced itself yet').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    const cookie = (await context.cookies()).find((one) => one.name === 'mup_session');
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, 'Strict');
    assert.equal(await page.evaluate(() => document.cookie), '', 'a script sees the session');
    assert.deepEqual(problems, []);
    await context.close();
  });

  test('a page of somebody else cannot act with the session: the token of the session is needed', async () => {
    const { page, context } = await newPage(browser);
    await logIn(page, edge);
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
    const statuses = await page.evaluate(() =>
      Promise.all(
        [{}, { 'X-CSRF-Token': 'guessed' }].map(
          async (headers) =>
            (
              await fetch('/api/v1/updates', {
                method: 'POST',
                body: '{"device":"x","release":1}',
                headers: { 'Content-Type': 'application/json', ...headers },
              })
            ).status
        )
      )
    );
    assert.deepEqual(statuses, [403, 403]);
    await context.close();
  });

  test('a reload goes on where one was, and a session that ends in another tab asks again and comes back there', async () => {
    const { page, problems, context } = await newPage(browser);
    await logIn(page, edge);
    await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
    await go(page, '#/releases');
    await page.getByRole('heading', { name: 'Releases', level: 1 }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Releases', level: 1 }).waitFor();

    const second = await context.newPage();
    await second.goto(edge.url);
    await second.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
    await second.getByRole('button', { name: 'Log out' }).click();
    await second.getByRole('button', { name: 'Log in' }).waitFor();

    // The first one notices: its event stream ends with the session.
    await page.getByText('Your session has ended.').waitFor();
    await page.getByLabel('User').fill(edge.user);
    await page.getByLabel('Password', { exact: true }).fill(edge.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Releases', level: 1 }).waitFor();
    assert.deepEqual(problems, []);
    await context.close();
  });

  test('somebody who may only look is offered nothing else, and told so', async () => {
    await addLamp();
    const password = await edge.addUser('rita', 'read-only');
    const { page, problems, context } = await newPage(browser);
    await logIn(page, edge, password, 'rita');
    await page.getByRole('link', { name: 'lamp-1' }).click();
    await page.getByText('You may look, but not call.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Run: Turn the lamp on' }).isDisabled(), true);
    assert.equal(await page.getByRole('link', { name: 'Update …' }).count(), 0);
    await go(page, '#/releases');
    await page.getByText('You may look, but not fetch.').waitFor();
    const status = await page.evaluate(async () => {
      const { csrf } = await (await fetch('/api/v1/session')).json();
      return (
        await fetch('/api/v1/updates', {
          method: 'POST',
          body: '{"device":"lamp-1","release":1}',
          headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
        })
      ).status;
    });
    assert.equal(status, 403, 'the page alone refuses');
    assert.deepEqual(problems, []);
    await context.close();
  });

  test('a tab out of sight gives its stream back, and catches up when it is looked at', async () => {
    const { page, problems, context } = await newPage(browser);
    await page.clock.install();
    const look = (hidden) =>
      page.evaluate((now) => {
        Object.defineProperty(document, 'hidden', { value: now, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await logIn(page, edge);
    const row = page.getByRole('row').filter({ hasText: 'lamp-1' });
    await row.getByText('Online').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const closed = page.waitForEvent('requestfailed', (request) => request.url().includes('/events'));
    await look(true);
    await page.clock.fastForward(40000);
    await closed;
    await edge.tell('kill', 'device-1');
    await look(false);
    await row.getByText('Offline').waitFor();
    assert.deepEqual(problems, []);
    await context.close();
  });

  test('who guesses is stopped after five times, with how long to wait', async () => {
    const { page, context } = await newPage(browser);
    for (let i = 0; i < 6; i++) {
      const answered = page.waitForResponse(
        (response) => response.url().endsWith('/session') && response.request().method() === 'POST'
      );
      await logIn(page, edge, `guess-${i}`, 'guessed');
      await answered;
    }
    await page.getByText('Too many attempts.').waitFor();
    await page.getByText(/Wait \d+ s/).waitFor();
    await context.close();
  });
});
