/* One device: calls that reach it, input that does not, values as they come, and texts that attack. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { go, launch, logIn, newPage } from './support/browser.mjs';
import { root, startEdge } from './support/edge.mjs';

/* Each of these would run or break out somewhere, if text became markup, an attribute, a URL or a
 * style. Short enough for the limits of a description. */
const ATTACKS = {
  deviceDesc: '<img src=x onerror="window.attacked=1">',
  lampOn: '"><script>window.attacked=2</script>',
  lampOff: "' onmouseover='window.attacked=3' x='",
  interval: '</textarea><svg onload=window.attacked=4>',
  seconds: 'javascript:window.attacked=5//',
  temperature: '{{constructor.constructor("window.attacked=6")()}} \u202Egpj.exe',
  symbol: '<b>&amp;',
};

async function hostileDescription(edge) {
  let text = await readFile(path.join(root, 'firmware/description/virtual.jsonld'), 'utf8');
  const swap = (from, to) => {
    assert.ok(text.includes(from), from);
    text = text.replace(JSON.stringify(from), JSON.stringify(to));
  };
  swap('A device that takes signed updates, with a lamp and a thermometer', ATTACKS.deviceDesc);
  swap('Turn the lamp on', ATTACKS.lampOn);
  swap('Turn the lamp off', ATTACKS.lampOff);
  swap('Set how often the temperature is published', ATTACKS.interval);
  swap('Seconds between two values', ATTACKS.seconds);
  swap('Temperature of the air', ATTACKS.temperature);
  swap('°C', ATTACKS.symbol);
  const file = path.join(edge.folder, 'hostile.jsonld');
  await writeFile(file, text);
  return file;
}

/* A lamp that has a colour, too: a structure of three numbers, and a mode. The virtual device knows no
 * such method, and says so. */
async function colourDescription(edge) {
  let text = await readFile(path.join(root, 'firmware/description/virtual.jsonld'), 'utf8');
  const part = (name) =>
    `{"@id":"#${name}","@type":"OperationInput","hasDataRestriction_minInclusive":0,"hasDataRestriction_maxInclusive":255}`;
  const swap = (from, to) => {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  };
  swap(
    '"exposesFunctionality":["#ledOn","#ledOff"],"hasOperation":[',
    `"exposesFunctionality":["#ledOn","#ledOff","#ledColour"],"hasOperation":[
{"@id":"#opColour","@type":"Operation","exposesCommand":"#cmdColour","method":"LED-COLOUR","topic":"led/%s","hasOperationState":"#state","hasInput":["#uuid",
{"@id":"#colour","@type":"OperationInput","hasSubStructure":[${['red', 'green', 'blue'].map(part).join()}]},
{"@id":"#mode","@type":"OperationInput","hasDataRestriction_pattern":["steady","blink"]}]},`
  );
  swap(
    '{"@id":"#ledOff","@type":"ControllingFunctionality"',
    `{"@id":"#ledColour","@type":"ControllingFunctionality","hasCommand":"#cmdColour","hasThingProperty":{"@type":"b:YangDescription","hasValue":"Set the colour of the lamp"}},
{"@id":"#ledOff","@type":"ControllingFunctionality"`
  );
  const file = path.join(edge.folder, 'colour.jsonld');
  await writeFile(file, text);
  return file;
}

const log = (edge, device) => readFile(path.join(edge.folder, 'log', `${device}.log`), 'utf8');

describe('a device', () => {
  let edge;
  let browser;
  let page;
  let problems;
  let uuid;
  let hostile;
  let colour;

  before(async () => {
    edge = await startEdge();
    browser = await launch();
    await edge.tell('release', 1, 20000, 'ok');
    uuid = (await edge.tell('device', 'device-1', 'lamp-1', 1, '--interval', 1)).uuid;
    hostile = (
      await edge.tell(
        'device',
        'device-2',
        'hostile-1',
        1,
        '--interval',
        1,
        '--description',
        await hostileDescription(edge)
      )
    ).uuid;
    colour = (
      await edge.tell('device', 'device-3', 'colour-1', 1, '--description', await colourDescription(edge))
    ).uuid;
    await edge.ready(3);
    ({ page, problems } = await newPage(browser));
    await logIn(page, edge);
    await page.getByRole('link', { name: 'lamp-1' }).click();
    await page.getByRole('heading', { name: 'What it can do' }).waitFor();
  });
  after(async () => {
    await browser?.close();
    await edge?.end();
  });

  test('says in words what it is, can do and measures; the calls of an update are not offered', async () => {
    await page.getByText('A device that takes signed updates, with a lamp and a thermometer').waitFor();
    assert.deepEqual(
      await page.locator('.call').evaluateAll((forms) => forms.map((form) => form.dataset.rpc).sort()),
      ['ledOff', 'ledOn', 'setInterval']
    );
    await page.getByText('3 calls of an update').waitFor();
    await page.getByText(uuid).first().waitFor();
  });

  test('a call without input reaches it, and its answer is told in words', async () => {
    await page.getByRole('button', { name: 'Run: Turn the lamp on' }).click();
    await page.locator('[data-rpc="ledOn"] .result').getByText('the device answered 10_OK').waitFor();
    await page.locator('[data-rpc="ledOn"] .result[data-tone="good"]').waitFor();
  });

  test('bad input stays here with a message at its field; good input reaches the device', async () => {
    const form = page.locator('[data-rpc="setInterval"]');
    const field = form.getByLabel('seconds');
    for (const [typed, message] of [
      ['', 'This is needed.'],
      ['soon', 'Enter a whole number.'],
      ['0', 'Enter 1 to 3600.'],
      ['3601', 'Enter 1 to 3600.'],
      ['1.5', 'Enter a whole number.'],
    ]) {
      await field.fill(typed);
      await form.getByRole('button').click();
      await form.getByText(message).waitFor();
      assert.equal(await field.getAttribute('aria-invalid'), 'true');
    }
    assert.doesNotMatch(await log(edge, 'device-1'), /"interval"/, 'bad input reached the device');
    await field.fill('2');
    await form.getByRole('button').click();
    await form.getByText('the device answered 10_OK').waitFor();
    assert.match(await log(edge, 'device-1'), /"interval".*2/);
    await form.getByRole('button').click();
    await form.getByText('Nothing to do').waitFor();
    assert.deepEqual(problems, []);
  });

  test('what the bridge refuses is shown at the field that it names', async () => {
    // As if the page had let it through.
    const answer = await page.evaluate(async (device) => {
      const { csrf } = await (await fetch('/api/v1/session')).json();
      const response = await fetch(`/api/v1/devices/${device}/rpcs/setInterval`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
        body: '{"input":{"seconds":0}}',
      });
      return { status: response.status, error: (await response.json()).error };
    }, uuid);
    assert.equal(answer.status, 422);
    assert.equal(answer.error.field, 'seconds');
  });

  test('values come by themselves and draw a line', async () => {
    const chart = page.locator('.chart[data-point="temperature"]');
    await chart.locator('.curve[d*="L"]').waitFor();
    const before = await chart.locator('.curve').getAttribute('d');
    await page.waitForFunction((old) => document.querySelector('.curve').getAttribute('d') !== old, before);
    assert.match(await chart.locator('.value').innerText(), /^-?\d+(\.\d+)?$/);
    assert.equal(await chart.locator('.unit').innerText(), '°C');

    await edge.publish('sensor/temperature/lamp-1', '99.5');
    await chart.getByText('99.5').first().waitFor();
    await edge.publish('sensor/temperature/lamp-1', 'NaN<b>');
    await chart.getByText('NaN<b>').first().waitFor();
    assert.deepEqual(problems, []);
  });

  test('its YANG module is there to read', async () => {
    await page.getByText('Its YANG module').click();
    await page
      .locator('pre')
      .getByText(/rpc setInterval/)
      .waitFor();
    assert.match(await page.locator('pre').innerText(), /range "1\.\.3600"/);
  });

  test('when it goes and comes back, the page says so by itself', async () => {
    await edge.tell('kill', 'device-1');
    await page.locator('.head-facts').getByText('Offline').waitFor();
    await page.getByText('It can be neither called nor updated now.').waitFor();
    await edge.tell('start', 'device-1');
    await page.locator('.head-facts').getByText('Online').waitFor();
    assert.deepEqual(problems, []);
  });

  test('a structure is filled in by its parts or as a colour, and its wrong part is named; a refusal is told in words', async () => {
    await go(page, `#/devices/${colour}`);
    const form = page.locator('[data-rpc="ledColour"]');
    await form.getByLabel('red').fill('256');
    await form.getByLabel('green').fill('0');
    await form.getByLabel('blue').fill('0');
    await form.getByLabel('mode').selectOption('blink');
    await form.getByRole('button').click();
    await form.getByText('Enter 0 to 255.').waitFor();
    assert.equal(await form.getByLabel('red').getAttribute('aria-invalid'), 'true');
    await form.getByLabel('colour: pick a colour').fill('#ff8000');
    assert.deepEqual(
      await Promise.all(['red', 'green', 'blue'].map((name) => form.getByLabel(name).inputValue())),
      ['255', '128', '0']
    );
    await form.getByRole('button').click();
    await form.getByText('the device answered 12_ERROR').waitFor();
    await form.getByText('The device could not do it').waitFor();
    assert.deepEqual(problems, []);
  });

  test('texts that attack are shown as they are and do nothing', async () => {
    await go(page, `#/devices/${hostile}`);
    await page.getByText(ATTACKS.deviceDesc).waitFor();
    for (const text of [
      ATTACKS.lampOn,
      ATTACKS.lampOff,
      ATTACKS.interval,
      ATTACKS.seconds,
      ATTACKS.temperature,
      ATTACKS.symbol,
    ]) {
      await page.getByText(text).first().waitFor();
    }
    await edge.publish(
      'sensor/temperature/hostile-1',
      '<iframe srcdoc="<script>parent.attacked=7</script>">'
    );
    await page.locator('.value').getByText('<iframe').waitFor();
    await page.getByText('Its YANG module').click();
    await page
      .locator('pre')
      .getByText(/rpc ledOn/)
      .waitFor();
    await page.getByRole('button', { name: /script/ }).click();
    await page.locator('.result').first().waitFor();
    await go(page, `#/devices/${encodeURIComponent('<img src=x onerror=attacked=8>')}`);
    await page.getByRole('alert').waitFor();
    await go(page, '#/?search=%3Cscript%3Eattacked%3D9%3C%2Fscript%3E');
    await page.getByText('No device matches.').waitFor();

    assert.equal(await page.evaluate(() => window.attacked), undefined);
    assert.equal(
      await page.locator('main img, main script, main iframe, main svg[onload], main [onmouseover]').count(),
      0
    );
    assert.deepEqual(problems, []);
  });
});
