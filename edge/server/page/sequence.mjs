/* The paper's steps 0 to 7 as a sequence diagram: a list of messages, each with an arrow between the
 * stations that it passes, which fills in as the update goes on. Without its looks it is a list of
 * sentences, which is what a screen reader reads. */
import { h, write } from './dom.mjs';
import { bytes, duration, number } from './format.mjs';
import { setBar, bar } from './pieces.mjs';

const STATIONS = ['Device', 'Bridge', 'Update server', 'Vendor'];
const [DEVICE, BRIDGE, SERVER, VENDOR] = [0, 1, 2, 3];

/* `state`: of the update while this message is under way; `asks`: the first half of its state, whose
 * time is told with the second. */
const MESSAGES = [
  {
    key: 'release',
    path: [VENDOR, SERVER],
    name: 'Signed release',
    text: 'Fetched from the vendor’s repository and checked: signature, every block, the whole image.',
  },
  {
    key: '0',
    step: 0,
    state: 'requested',
    path: [DEVICE, BRIDGE, SERVER],
    name: 'What the device is',
    text: 'Its description, once; in return it got this server’s key, certified by its vendor.',
  },
  {
    key: '1',
    step: 1,
    state: 'token',
    asks: true,
    path: [SERVER, BRIDGE, DEVICE],
    name: 'Request for a token',
    text: 'Is it there, and what does it run?',
  },
  {
    key: '2',
    step: 1,
    state: 'token',
    path: [DEVICE, BRIDGE, SERVER],
    name: 'Device token',
    text: 'Its UUID, its version, and a number made just now, so that nobody can replay an old update.',
  },
  {
    key: '3',
    step: 3,
    state: 'manifest',
    asks: true,
    path: [SERVER, BRIDGE, DEVICE],
    name: 'Extended manifest',
    text: 'What the vendor signed, with UUID and number, signed again by this server.',
  },
  {
    key: '4',
    step: 3,
    state: 'manifest',
    path: [DEVICE, BRIDGE, SERVER],
    name: 'The device’s verdict',
    text: 'It checks number, UUID, both signatures, application, version, size. Only then is firmware sent.',
  },
  {
    key: '5',
    step: 5,
    state: 'transfer',
    both: true,
    path: [SERVER, DEVICE],
    name: 'Firmware',
    text: 'In slices, as fast as the device gives credit. Each block is checked before it is written.',
  },
  {
    key: '6',
    step: 6,
    state: 'verify',
    both: true,
    path: [SERVER, BRIDGE, DEVICE],
    name: 'Verify',
    text: 'The digest of the whole image in flash is the one that the vendor signed.',
  },
  {
    key: '7',
    step: 7,
    state: 'trial',
    path: [DEVICE, SERVER],
    name: 'Restart and report',
    text: 'The new version starts on trial, reaches the broker with its own strength, and reports.',
  },
];

const ORDER = ['requested', 'token', 'manifest', 'transfer', 'verify', 'trial'];
const STEP_OF = { requested: 0, token: 1, manifest: 3, transfer: 5, verify: 6, trial: 7 };

/* How long a message takes to be drawn when several are news at once: an update of a quick device is
 * over before one has looked. */
const REVEAL_MS = 140;

/** The state in which an update ended without success. */
function endedIn(update) {
  const entered = ORDER.filter((state) => update.steps.some((step) => step.number === STEP_OF[state]));
  return entered.at(-1) ?? 'requested';
}

const stoppedEarly = (update) => /^nothing was sent/.test(update.message ?? '');

/** waiting, active, done, failed or skipped */
function standing(message, update) {
  if (message.key === 'release' || update.state === 'confirmed') {
    return 'done';
  }
  const hasFailed = update.state === 'failed' || update.state === 'reverted';
  const current = hasFailed ? endedIn(update) : update.state;
  const at = ORDER.indexOf(message.state) - ORDER.indexOf(current);
  if (hasFailed && stoppedEarly(update)) {
    return message.step <= 1 ? 'done' : message.key === '3' ? 'failed' : 'skipped';
  }
  if (at < 0 || (at === 0 && message.asks)) {
    return 'done';
  }
  if (at > 0) {
    return hasFailed ? 'skipped' : 'waiting';
  }
  return hasFailed ? 'failed' : 'active';
}

const STANDING_WORDS = {
  waiting: 'still to come',
  active: 'now',
  done: 'done',
  failed: 'stopped here',
  skipped: 'not reached',
};

function figures(message, update, now_ms) {
  const step = update.steps.find((one) => one.number === message.step);
  if (!step || message.key === 'release') {
    return { time: '', size: '' };
  }
  const isNow = ORDER.indexOf(update.state) >= 0 && STEP_OF[update.state] === message.step;
  const ms = isNow ? Math.max(step.ms, now_ms - step.started_ms) : step.ms;
  const sent = message.both
    ? step.bytes_out + step.bytes_in
    : message.path[0] === SERVER
      ? step.bytes_out
      : step.bytes_in;
  return { time: message.asks ? '' : duration(ms), size: sent > 0 ? bytes(sent) : '' };
}

const place = (station) => `${12.5 + 25 * station}%`;

function makeArrow(message) {
  const from = message.path[0];
  const to = message.path.at(-1);
  const left = Math.min(from, to);
  const right = Math.max(from, to);
  const via = message.path
    .slice(1, -1)
    .map((station) => h('i', { class: 'via', style: { left: place(station) } }));
  const direction = message.both ? 'both' : to > from ? 'right' : 'left';
  return [
    h(
      'span',
      {
        class: 'arrow',
        'data-direction': direction,
        style: { left: place(left), right: `${100 - (12.5 + 25 * right)}%` },
      },
      h('span', { class: 'shaft' }),
      h('span', { class: 'tip' }),
      message.both ? h('span', { class: 'tip tail' }) : null
    ),
    via,
  ];
}

export class Sequence {
  constructor() {
    this.parts = new Map();
    this.known = new Map();
    const items = MESSAGES.map((message) => this.makeItem(message));
    this.element = h(
      'section',
      { class: 'sequence', 'aria-label': 'Steps of the update' },
      h(
        'div',
        { class: 'stations', 'aria-hidden': 'true' },
        h('span', {}),
        h(
          'div',
          { class: 'track' },
          STATIONS.map((name, at) => h('span', { style: { left: place(at) } }, name))
        ),
        h('span', {})
      ),
      h('ol', {}, items)
    );
  }

  makeItem(message) {
    const ends = [message.path[0], message.path.at(-1)].map((station) => STATIONS[station].toLowerCase());
    const way = message.both ? `between ${ends[0]} and ${ends[1]}` : `from ${ends[0]} to ${ends[1]}`;
    const via = message.path.length > 2 ? ', through the bridge' : '';
    const standingWord = h('span', { class: 'unseen' });
    const time = h('span', { class: 'time' });
    const size = h('span', { class: 'size' });
    const fill = message.key === '5' ? bar(0, 1, 'firmware that the device has') : null;
    const text = h('p', {}, message.text);
    const item = h(
      'li',
      { 'data-step': message.key, 'data-standing': 'waiting' },
      h(
        'div',
        { class: 'what' },
        h('b', {}, h('span', { class: 'key' }, message.key === 'release' ? '' : message.key), message.name),
        h('span', { class: 'unseen' }, ` ${way}${via}: `),
        standingWord,
        text
      ),
      h(
        'div',
        { class: 'track', 'aria-hidden': 'true' },
        STATIONS.map((_, at) => h('i', { class: 'life', style: { left: place(at) } })),
        makeArrow(message),
        message.key === '7' ? h('i', { class: 'restart', style: { left: place(DEVICE) } }) : null
      ),
      h('div', { class: 'figures' }, time, size, fill)
    );
    this.parts.set(message.key, { item, standingWord, time, size, fill, text });
    return item;
  }

  show(update, now_ms = Date.now()) {
    let turn = 0;
    for (const message of MESSAGES) {
      const part = this.parts.get(message.key);
      const now = standing(message, update);
      const { time, size } = figures(message, update, now_ms);
      if (this.known.get(message.key) !== now) {
        this.known.set(message.key, now);
        part.item.style.setProperty('--delay', `${now === 'waiting' ? 0 : REVEAL_MS * turn++}ms`);
        part.item.dataset.standing = now;
        write(part.standingWord, STANDING_WORDS[now]);
      }
      write(part.time, time);
      write(part.size, size);
      if (message.key === '5') {
        this.showTransfer(part, update, now);
      }
    }
  }

  showTransfer(part, update, now) {
    const { at, of } = update.progress ?? (now === 'done' ? { at: 1, of: 1 } : { at: 0, of: 1 });
    part.fill.hidden = now === 'waiting' || now === 'skipped';
    setBar(part.fill, at, of);
    if (update.progress && now === 'active') {
      write(part.size, `${number(at)} of ${number(of)} B`);
    }
  }
}
