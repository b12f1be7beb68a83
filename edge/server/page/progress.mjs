/* One update, watched: how it stands in words, how far it is, and its steps as they happen. */
import { get } from './api.mjs';
import { h, say, write } from './dom.mjs';
import { bytes, day, duration } from './format.mjs';
import { bar, facts, setBar } from './pieces.mjs';
import { Sequence } from './sequence.mjs';
import { outcome } from './words.mjs';

const RATE_WINDOW_MS = 8000; // the rate is that of the last seconds
const TICK_MS = 250;

/** Bytes a second of late; null while too little is known. */
class Rate {
  constructor() {
    this.seen = [];
  }

  add(ms, at) {
    if (this.seen.length > 0 && at < this.seen.at(-1).at) {
      this.seen = []; // it began again
    }
    this.seen.push({ ms, at });
    while (this.seen.length > 2 && ms - this.seen[0].ms > RATE_WINDOW_MS) {
      this.seen.shift();
    }
  }

  get() {
    const first = this.seen[0];
    const last = this.seen.at(-1);
    return this.seen.length > 1 && last.ms - first.ms > 400 && last.at > first.at
      ? ((last.at - first.at) * 1000) / (last.ms - first.ms)
      : null;
  }
}

class Progress {
  constructor(context, update) {
    this.context = context;
    this.rate = new Rate();
    this.sequence = new Sequence();
    this.head = h('section', { class: 'outcome', 'aria-live': 'polite' });
    this.bar = bar(0, 1, 'firmware that the device has');
    this.barWords = h('p', { class: 'soft figures-line' });
    this.barPart = h('div', { class: 'bar-part' }, this.bar, this.barWords);
    this.facts = h('div', {});
    this.again = h('div', {});
    this.update = update;
  }

  take(update) {
    const wasEnded = this.update.result;
    if (wasEnded && !update.result) {
      return; // an answer that was overtaken by the end
    }
    const progress =
      update.progress ?? (update.state === this.update.state ? this.update.progress : undefined);
    this.update = { ...update, progress: update.result ? undefined : progress };
    if (progress && update.state === 'transfer') {
      this.rate.add(performance.now(), progress.at);
    }
    this.show();
    if (update.result && !wasEnded) {
      say(outcome(update).title);
    }
  }

  showBar() {
    const { update } = this;
    const rate = this.rate.get();
    const { at, of } = update.progress ?? { at: 0, of: update.payload_size ?? 0 };
    const isSent = ['verify', 'trial', 'confirmed'].includes(update.state);
    this.barPart.hidden = Boolean(update.result) || !(update.state === 'transfer' || isSent);
    setBar(this.bar, isSent ? 1 : at, isSent ? 1 : of);
    if (update.state === 'transfer' && of > 0) {
      const left = rate
        ? `, ${bytes(rate)}/s, about ${duration(Math.ceil((of - at) / rate) * 1000)} left`
        : '';
      write(this.barWords, `${Math.floor((100 * at) / of)} %: ${bytes(at)} of ${bytes(of)}${left}`);
    } else {
      write(this.barWords, `All ${bytes(update.payload_size ?? 0)} are there`);
    }
  }

  showHead() {
    const { update, context } = this;
    const words = outcome(update);
    const signature = [update.state, update.reason, update.message].join('|');
    if (this.signature === signature) {
      return;
    }
    this.signature = signature;
    const isOver = Boolean(update.result);
    this.head.dataset.tone = words.tone;
    this.head.replaceChildren(
      h('h2', {}, words.title),
      words.text ? h('p', {}, words.text) : '',
      words.who ? h('p', { class: 'soft' }, words.who, '.') : '',
      words.todo ? h('p', { class: 'todo' }, h('b', {}, 'What to do: '), words.todo) : '',
      isOver && update.message && update.state !== 'confirmed'
        ? h(
            'p',
            { class: 'soft' },
            'In detail: ',
            update.reason ? h('code', {}, update.reason) : null,
            ` ${update.message}`
          )
        : ''
    );
    this.again.replaceChildren(
      isOver && update.state !== 'confirmed' && context.mayAct
        ? h(
            'p',
            {},
            h(
              'a',
              { class: 'button', href: `#/update?device=${encodeURIComponent(update.device.uuid)}` },
              'Choose a release and start again'
            )
          )
        : ''
    );
  }

  showFacts() {
    const { update } = this;
    const took = (update.finished_ms ?? Date.now()) - update.started_ms;
    const sum = (field) => update.steps.reduce((total, step) => total + step[field], 0);
    this.facts.replaceChildren(
      facts([
        [
          'Release',
          update.release
            ? h(
                'a',
                { href: `#/releases/${update.release.id}` },
                `${update.release.app} version ${update.release.version}`
              )
            : `version ${update.to}`,
        ],
        ['From version', update.from ? String(update.from) : 'not known yet'],
        ['Started', day(update.started_ms)],
        [update.result ? 'Took' : 'So far', duration(Math.max(0, took))],
        ['To the device', bytes(sum('bytes_out')), 'payload bytes of messages'],
        ['From the device', bytes(sum('bytes_in'))],
        update.force ? ['Forced', 'yes', 'the server did not look at the token first'] : null,
      ])
    );
  }

  show() {
    this.showHead();
    this.showBar();
    this.showFacts();
    this.sequence.show(this.update);
  }
}

export async function view(context) {
  const path = `/updates/${context.parts[0]}`;
  const update = await get(path, context.signal);
  const shown = new Progress(context, update);
  const name = update.device.name;
  context.title(`Update of ${name}`);
  shown.show();
  context.show(
    h('p', { class: 'crumbs' }, h('a', { href: '#/updates' }, 'Updates'), ' › ', `Update ${update.id}`),
    h(
      'h1',
      {},
      'Update of ',
      h('a', { href: `#/devices/${encodeURIComponent(update.device.uuid)}` }, name),
      ` to version ${update.to}`
    ),
    shown.head,
    shown.barPart,
    shown.again,
    shown.sequence.element,
    h('section', { class: 'card' }, h('h2', {}, 'In numbers'), shown.facts)
  );
  const take = (news) => {
    if (news.id === update.id) {
      shown.take(news);
    }
  };
  context.on(['update', 'progress'], take);
  context.every(TICK_MS, () => {
    if (!shown.update.result) {
      shown.sequence.show(shown.update);
      shown.showFacts();
    }
  });
  context.again = async () => take(await get(path, context.signal));
}
