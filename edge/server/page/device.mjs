/* One device: what it says it is, what it measures, what it can be told to do, and its updates. */
import { get, getText } from './api.mjs';
import { callsPart } from './calls.mjs';
import { Chart } from './chart.mjs';
import { h, say, write } from './dom.mjs';
import { brief, clock, day, duration, moment, sentence } from './format.mjs';
import * as live from './live.mjs';
import {
  bar,
  copyable,
  devicePill,
  errorNotice,
  facts,
  nameOf,
  notice,
  setBar,
  table,
  updatePill,
  when,
} from './pieces.mjs';
import { presence, shortState } from './words.mjs';

const EVENTS_MAX = 50;

/* ---- the module ---- */

function modulePart(context, device) {
  const text = h('div', {}, h('p', { class: 'loading' }, 'Loading …'));
  const part = h(
    'details',
    { class: 'module' },
    h('summary', {}, h('h2', {}, 'Its YANG module'), ' ', h('small', {}, device.module)),
    h(
      'p',
      { class: 'soft' },
      'Made by the bridge from the device’s own description. Any NETCONF client can use the device by it.'
    ),
    text
  );
  let isLoaded = false;
  part.addEventListener('toggle', async () => {
    if (!part.open || isLoaded) {
      return;
    }
    isLoaded = true;
    try {
      text.replaceChildren(
        h(
          'pre',
          { tabindex: 0, 'aria-label': 'YANG' },
          await getText(`/devices/${encodeURIComponent(device.uuid)}/module`, context.signal)
        )
      );
    } catch (error) {
      isLoaded = false;
      text.replaceChildren(errorNotice(error));
    }
  });
  return part;
}

/* ---- updates ---- */

function historyRow(update) {
  const took = update.finished_ms ? duration(update.finished_ms - update.started_ms) : '';
  return h(
    'tr',
    {},
    h('td', {}, h('a', { href: `#/updates/${update.id}` }, `${update.from || '?'} → ${update.to}`)),
    h('td', {}, updatePill(update)),
    h('td', {}, h('time', { title: day(update.started_ms) }, when(update.started_ms))),
    h('td', {}, took)
  );
}

class DeviceView {
  constructor(context, device, updates) {
    Object.assign(this, { context, device, updates });
    this.charts = new Map();
    this.head = h('div', {});
    this.standing = h('div', { role: 'status' });
    this.history = h('div', {});
    this.events = h('ol', { class: 'events', 'aria-live': 'polite' });
    this.running = updates.find((update) => !update.result) ?? null;
  }

  measures() {
    const points = this.device.telemetry;
    points.forEach((point) => this.charts.set(point.name, new Chart(point)));
    return points.length === 0
      ? h('p', { class: 'soft' }, 'It publishes no measured values.')
      : h(
          'div',
          { class: 'charts' },
          [...this.charts.values()].map((chart) => chart.element)
        );
  }

  eventsPart() {
    if (this.device.events.length === 0) {
      return null;
    }
    const last = this.device.events
      .filter((event) => event.value !== null)
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    last.forEach((event) => this.addEvent(event.name, event.value, Date.parse(event.at)));
    this.noEvents = h(
      'p',
      { class: 'soft' },
      `Nothing has happened yet. It tells of: ${this.device.events.map((event) => event.description || event.name).join(', ')}.`
    );
    this.noEvents.hidden = last.length > 0;
    return h(
      'section',
      { class: 'card', 'aria-label': 'Events' },
      h('h2', {}, 'Events'),
      this.noEvents,
      this.events
    );
  }

  addEvent(name, value, ms) {
    const event = this.device.events.find((one) => one.name === name);
    this.events.prepend(
      h(
        'li',
        {},
        h('time', { title: day(ms) }, clock(ms)),
        h('b', {}, event?.description || name),
        ' ',
        value === '' ? h('span', { class: 'soft' }, 'it is over') : value
      )
    );
    while (this.events.children.length > EVENTS_MAX) {
      this.events.lastChild.remove();
    }
    if (this.noEvents) {
      this.noEvents.hidden = true;
    }
  }

  showHead() {
    const { device, context } = this;
    const trial = device.on_trial ? ', on trial' : '';
    const canUpdate = context.mayAct && device.state === 'ready' && !this.running;
    this.head.replaceChildren(
      h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Devices'), ' › ', nameOf(device)),
      h(
        'div',
        { class: 'head-line' },
        h(
          'div',
          {},
          h('h1', {}, nameOf(device)),
          h(
            'p',
            { class: 'head-facts' },
            devicePill(device),
            h('span', {}, device.category || 'no category'),
            h(
              'span',
              {},
              device.version === null ? 'version not known' : `version ${device.version}${trial}`
            ),
            h('span', {}, 'heard ', when(device.last_seen))
          )
        ),
        canUpdate
          ? h(
              'a',
              { class: 'button primary', href: `#/update?device=${encodeURIComponent(device.uuid)}` },
              'Update …'
            )
          : null
      )
    );
  }

  showStanding() {
    const { device, running } = this;
    if (running) {
      this.bar ??= bar(0, 1, 'sent');
      setBar(this.bar, running.progress?.at ?? 0, running.progress?.of ?? 1);
      if (!this.standing.contains(this.bar)) {
        this.standingWord = h('span', {});
        this.standing.replaceChildren(
          notice(
            'busy',
            h('strong', {}, `Update to version ${running.to} is running`),
            ' ',
            this.standingWord,
            ' ',
            this.bar,
            ' ',
            h('a', { href: `#/updates/${running.id}` }, 'Watch it')
          )
        );
      }
      write(this.standingWord, shortState(running.state));
    } else if (device.state === 'ready') {
      this.standing.replaceChildren();
    } else {
      const { tone, word, text } = presence(device.state);
      this.standing.replaceChildren(
        notice(
          tone === 'bad' ? 'bad' : 'warn',
          h('strong', {}, word),
          `. ${text}`,
          device.reason ? ` The bridge says: ${sentence(device.reason)}` : '',
          ' It can be neither called nor updated now.'
        )
      );
    }
  }

  showHistory() {
    this.history.replaceChildren(
      this.updates.length === 0
        ? h('p', { class: 'soft' }, 'No update of it was started here.')
        : table(
            'Updates of this device',
            ['Versions', 'State', 'Started', 'Took'],
            this.updates.map(historyRow)
          )
    );
  }

  show() {
    const { device, context } = this;
    this.showHead();
    this.showStanding();
    this.showHistory();
    const side = [
      h(
        'section',
        { class: 'card', 'aria-label': 'Measured values' },
        h('h2', {}, 'What it measures'),
        this.measures()
      ),
      this.eventsPart(),
      h('section', { class: 'card', 'aria-label': 'Updates' }, h('h2', {}, 'Its updates'), this.history),
    ];
    context.show(
      this.head,
      this.standing,
      device.description ? h('p', { class: 'lead' }, device.description) : '',
      h(
        'div',
        { class: 'columns' },
        h(
          'section',
          { class: 'card', 'aria-label': 'What it can do' },
          h('h2', {}, 'What it can do'),
          callsPart(context, device)
        ),
        h('div', { class: 'side' }, side)
      ),
      h(
        'section',
        { class: 'card' },
        h('h2', {}, 'What it is'),
        facts([
          ['UUID', copyable(device.uuid, 'the UUID'), 'by which updates and calls name it'],
          ['Name on MQTT', device.name],
          device.label ? ['Label', device.label, 'given by an operator'] : null,
          ['Category', device.category || 'none'],
          ['First seen', day(device.first_seen)],
        ])
      ),
      device.module ? h('section', { class: 'card' }, modulePart(context, device)) : ''
    );
  }

  takeDevice(news) {
    if (news.uuid !== this.device.uuid) {
      return;
    }
    const needsForms =
      news.module !== this.device.module || (news.state === 'ready' && this.device.rpcs.length === 0);
    Object.assign(this.device, news);
    if (needsForms) {
      this.context.again(); // it has another description now
    } else {
      this.showHead();
      this.showStanding();
    }
  }

  takeUpdate(update) {
    if (update.device.uuid !== this.device.uuid) {
      return;
    }
    const isNews = update.result || update.state !== this.running?.state;
    const at = this.updates.findIndex((one) => one.id === update.id);
    if (this.updates[at]?.result && !update.result) {
      return; // an answer that was overtaken by the end
    }
    if (at < 0) {
      this.updates.unshift(update);
    } else {
      this.updates[at] = update;
    }
    this.running = this.updates.find((one) => !one.result) ?? null;
    if (isNews) {
      this.showHead();
      this.showHistory();
    }
    this.showStanding();
    if (update.result) {
      say(`Update ${update.result}`);
    }
  }

  takeTelemetry(news) {
    if (news.uuid === this.device.uuid) {
      this.charts.get(news.name)?.add(news.at_ms, news.value);
    }
  }

  takeNotification(news) {
    if (news.uuid === this.device.uuid) {
      this.addEvent(news.name, news.value, moment(news.at_ms) ?? Date.now());
    }
  }
}

export async function view(context) {
  const path = `/devices/${encodeURIComponent(context.parts[0])}`;
  const [device, { updates }] = await Promise.all([
    get(path, context.signal),
    get(`${path}/updates`, context.signal),
  ]);
  const shown = new DeviceView(context, device, updates);
  context.title(brief(nameOf(device), 40));
  shown.show();
  live.want(device.uuid);
  context.on('device', (news) => shown.takeDevice(news));
  context.on(['update', 'progress'], (news) => shown.takeUpdate(news));
  context.on('telemetry', (news) => shown.takeTelemetry(news));
  context.on('notification', (news) => shown.takeNotification(news));
  context.every(15000, () => shown.showHead());
  context.again = async () => {
    // What was typed into a form stays unless the forms themselves are others now.
    try {
      const now = await get(path, context.signal);
      const news = await get(`${path}/updates`, context.signal);
      shown.updates = news.updates;
      shown.running = news.updates.find((update) => !update.result) ?? null;
      if (now.module !== device.module || now.rpcs.length !== device.rpcs.length) {
        Object.assign(device, now);
        shown.charts.clear();
        shown.show();
      } else {
        Object.assign(device, now);
        now.telemetry
          .filter((point) => point.value !== null)
          .forEach((point) => shown.charts.get(point.name)?.add(point.at, point.value));
        shown.showHead();
        shown.showStanding();
        shown.showHistory();
      }
    } catch {
      // The banner says that the server is away; the next news asks again.
    }
  };
}
