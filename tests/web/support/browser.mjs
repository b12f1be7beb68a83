/* A Chromium with a fresh profile, and what every test does with it. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { readFileSync } from 'node:fs';
import { root } from './edge.mjs';

const require = createRequire(
  path.join(process.env.MUP_WEB_MODULES ?? path.join(root, 'build/host/web'), 'package.json')
);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const TIMEOUT_MS = 60000;

/* No background traffic of the browser's own: on a machine without internet it only waits. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launch = () =>
  chromium.launch({
    executablePath: process.env.MUP_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ARGUMENTS,
  });

/** A page of a person of its own: {page, problems}. `problems` fills with what must never be. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    ...options,
  });
  const page = await context.newPage();
  const problems = [];
  page.setDefaultTimeout(TIMEOUT_MS);
  page.on('pageerror', (error) => problems.push(`error in the page: ${error.stack}`));
  page.on('dialog', (dialog) => {
    problems.push(`a dialog opened: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('console', (message) => {
    // A browser tells each answer that is not 2xx; the tests look at those themselves.
    if (
      message.type() === 'error' &&
      !/Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE_CHUNKED/.test(message.text())
    ) {
      problems.push(`console: ${message.text()}`);
    }
  });
  return { page, problems, context };
}

export async function logIn(page, edge, password = edge.password, user = edge.user) {
  await page.goto(`${edge.url}/`);
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Another address of the page, as by a link in it: nothing is loaded anew. */
export const go = (page, hash) =>
  page.evaluate((to) => {
    location.hash = to;
  }, hash);

/** What axe-core finds wrong that is serious or critical, in words. */
export async function faults(page) {
  // axe runs in a world of its own, which the page's content security policy does not reach.
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
    worldName: 'axe',
  });
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  };
  await evaluate(axe);
  const violations = JSON.parse(
    await evaluate(
      `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((found) => JSON.stringify(found.violations))`
    )
  );
  await session.detach();
  return violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map(
      (one) =>
        `${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).join('; ')}`
    );
}
