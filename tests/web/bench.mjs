/* What the page costs (lab/bench/web). All times are of Chromium with an empty cache, on the machine
 * that also runs the server, the bridge, the broker and the devices. */
import { spawn } from 'node:child_process';
import { go, launch, logIn, newPage } from './support/browser.mjs';
import { startEdge } from './support/edge.mjs';

const quick = process.argv.includes('--quick');
const LOADS = quick ? 3 : 15;
const FLEET = quick ? 1000 : 10000;
const MESSAGES = quick ? 50 : 500;

const views = ['#/', '#/updates', '#/releases', '#/releases/1'];

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

const round = (value) => Math.round(value * 10) / 10;

/** Bytes of all that a person who looks at every view has loaded: as sent, and unpacked. */
async function weigh(browser, edge, uuid) {
  const { page, context } = await newPage(browser);
  const session = await context.newCDPSession(page);
  const files = new Map(); // request -> bytes as sent
  const mine = new Set();
  await session.send('Network.enable');
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const { pathname } = new URL(response.url);
    if (pathname === '/' || pathname.startsWith('/page/')) {
      mine.add(requestId);
    }
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    files.set(requestId, encodedDataLength)
  );
  const unpacked = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (pathname === '/' || pathname.startsWith('/page/')) {
      unpacked.push(response.body().then((body) => body.length));
    }
  });
  await logIn(page, edge);
  await page.locator('.rows .row').first().waitFor();
  for (const view of [...views, `#/devices/${uuid}`, `#/update?device=${uuid}`]) {
    await go(page, view);
    await page.locator('main h1').first().waitFor();
  }
  const update = await edge.rest('POST', '/updates', { device: uuid, release: 1, force: true });
  await go(page, `#/updates/${update.id}`);
  await page.locator('.outcome[data-tone="bad"]').waitFor();
  const sizes = await Promise.all(unpacked);
  const sent = [...mine].reduce((sum, id) => sum + (files.get(id) ?? 0), 0);
  const cookies = await context.storageState();
  await context.close();
  return { sent, unpacked: sizes.reduce((sum, size) => sum + size, 0), files: sizes.length, cookies };
}

/** From navigation to the first row of the list, milliseconds; each with an empty cache. */
async function load(browser, edge, storageState) {
  const times = [];
  for (let i = 0; i < LOADS; i++) {
    const { page, context } = await newPage(browser, { storageState });
    await page.addInitScript(() => {
      new MutationObserver((_, observer) => {
        if (document.querySelector('.rows .row .name a')?.textContent) {
          window.readyAt = performance.now();
          observer.disconnect();
        }
      }).observe(document, { subtree: true, childList: true, characterData: true });
    });
    await page.goto(edge.url);
    times.push(await (await page.waitForFunction(() => window.readyAt)).jsonValue());
    await context.close();
  }
  return percentile(times, 0.5);
}

/** From a line given to mosquitto_pub to the value on the page, milliseconds. */
async function events(browser, edge, uuid, name, storageState) {
  const { page, context } = await newPage(browser, { storageState });
  await page.goto(`${edge.url}/#/devices/${uuid}`);
  await page.locator('.chart .value').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  let arrived = () => {};
  await page.exposeFunction('tell', (text, at) => arrived(text, at));
  await page.evaluate(() => {
    const value = document.querySelector('.chart .value');
    new MutationObserver(() =>
      window.tell(value.textContent, performance.timeOrigin + performance.now())
    ).observe(value, { childList: true, characterData: true, subtree: true });
  });
  const publisher = spawn('mosquitto_pub', [
    '-h',
    '127.0.0.1',
    '-p',
    String(edge.broker_port),
    '-u',
    'eavesdropper',
    '-P',
    edge.eavesdropper,
    '-l',
    '-t',
    `sensor/temperature/${name}`,
  ]);
  const times = [];
  for (let i = 0; i < MESSAGES; i++) {
    const text = String(1000 + i);
    const seen = new Promise((resolve) => {
      arrived = (told, at) => told.replace(/,/g, '') === text && resolve(at);
    });
    const begun = performance.timeOrigin + performance.now();
    publisher.stdin.write(`${text}\n`);
    const at = await seen;
    if (i >= 5) {
      // the first ones wait for mosquitto_pub to be connected
      times.push(at - begun);
    }
  }
  publisher.stdin.end();
  await context.close();
  return percentile(times, 0.99);
}

const edge = await startEdge();
const browser = await launch();
try {
  await edge.tell('release', 1, 20000, 'ok');
  const { url } = await edge.tell('release', 2, 20000, 'ok');
  const { uuid } = await edge.tell('device', 'device-1', 'bench-1', 2, '--interval', 3600);
  await edge.ready(1);
  await edge.rest('POST', '/releases', { url: url.replace('/2/', '/1/') });
  const weight = await weigh(browser, edge, uuid);
  const ready_ms = await load(browser, edge, weight.cookies);
  const event_ms = await events(browser, edge, uuid, 'bench-1', weight.cookies);
  await edge.tell('fleet', FLEET);
  await edge.ready(FLEET + 1);
  const fleet_ms = await load(browser, edge, weight.cookies);
  const { kb } = await edge.tell('memory');
  const result = {
    page_kb: round(weight.sent / 1000),
    page_unpacked_kb: round(weight.unpacked / 1000),
    page_files: weight.files,
    ready_ms: Math.round(ready_ms),
    [`fleet_${FLEET}_ms`]: Math.round(fleet_ms),
    event_ms: round(event_ms),
    server_mb: round(kb / 1000),
  };
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(result));
  } else {
    const words = {
      page_kb: 'all that is loaded, packed, with headers',
      page_unpacked_kb: 'the same, unpacked',
      page_files: 'in so many files',
      ready_ms: 'from navigation to usable, empty cache, median',
      [`fleet_${FLEET}_ms`]: `the same with ${FLEET} devices`,
      event_ms: 'from a device’s message to the page, 99th percentile',
      server_mb: 'mup-server with those devices, resident',
    };
    Object.entries(result).forEach(([name, value]) =>
      console.log(`${name.padEnd(18)}${String(value).padStart(9)}  ${words[name]}`)
    );
  }
} finally {
  await browser.close();
  await edge.end();
}
