/* The updates: those that run and those that ran, or just those that were started together. */
import { get } from './api.mjs';
import { h, write } from './dom.mjs';
import { bytes, day, duration, plural } from './format.mjs';
import { bar, empty, notice, setBar, table, updatePill, when } from './pieces.mjs';
import { outcome } from './words.mjs';

class Line {
  constructor(update) {
    this.state = h('td', {});
    this.progress = h('td', { class: 'wide' });
    this.took = h('td', {});
    this.versions = h('a', { href: `#/updates/${update.id}` });
    this.bar = bar(0, 1, 'firmware that the device has');
    this.words = h('small', {});
    this.element = h(
      'tr',
      { 'data-update': update.id },
      h('td', {}, this.versions),
      h(
        'td',
        {},
        h('a', { href: `#/devices/${encodeURIComponent(update.device.uuid)}` }, update.device.name)
      ),
      this.state,
      this.progress,
      h('td', {}, h('time', { title: day(update.started_ms) }, when(update.started_ms))),
      this.took
    );
    this.show(update);
  }

  show(update) {
    if (this.update?.result && !update.result) {
      return; // an answer that was overtaken by the end
    }
    const key = `${update.state} ${update.reason}`;
    if (!update.progress && update.state === this.update?.state) {
      update.progress = this.update.progress;
    }
    this.update = update;
    write(this.versions, `${update.from || '?'} → ${update.to}`);
    if (this.key !== key) {
      this.key = key;
      this.state.replaceChildren(updatePill(update));
      this.progress.replaceChildren(...(update.result ? [outcome(update).title] : [this.bar, this.words]));
    }
    if (!update.result) {
      const { at, of } = update.progress ?? { at: 0, of: 0 };
      setBar(this.bar, at, of || 1);
      write(this.words, of > 0 ? ` ${bytes(at)} of ${bytes(of)}` : ` ${outcome(update).title}`);
    }
    write(this.took, update.result ? duration(update.finished_ms - update.started_ms) : '');
  }
}

class Updates {
  constructor(context, ids) {
    Object.assign(this, { context, ids });
    this.lines = new Map();
    this.summary = h('p', { class: 'soft', role: 'status' });
    this.body = h('div', {});
  }

  isOurs(update) {
    return !this.ids || this.ids.includes(update.id);
  }

  takeAll(updates) {
    const ours = updates.filter((update) => this.isOurs(update));
    this.lines.clear();
    ours.forEach((update) => this.lines.set(update.id, new Line(update)));
    this.body.replaceChildren(
      ours.length === 0
        ? empty(
            'updates',
            'No update was started yet',
            'Choose a device, then what shall run on it.',
            h('p', {}, h('a', { class: 'button primary', href: '#/' }, 'To the devices'))
          )
        : table(
            'Updates',
            ['Versions', 'Device', 'State', 'How it stands', 'Started', 'Took'],
            [...this.lines.values()].map((line) => line.element)
          )
    );
    this.summarise();
  }

  take(update) {
    if (!this.isOurs(update)) {
      return;
    }
    const line = this.lines.get(update.id);
    if (line) {
      line.show(update);
      this.summarise();
    } else {
      this.takeAll([update, ...[...this.lines.values()].map((one) => one.update)]);
    }
  }

  summarise() {
    const count = (state) =>
      [...this.lines.values()].filter((line) => (line.update.result ?? 'running') === state).length;
    const parts = [
      ['running', 'running'],
      ['confirmed', 'confirmed'],
      ['failed', 'failed'],
      ['reverted', 'went back'],
    ]
      .map(([state, word]) => [count(state), word])
      .filter(([some]) => some > 0)
      .map(([some, word]) => `${some} ${word}`);
    write(this.summary, parts.join(', '));
  }
}

export async function view(context) {
  const ids = context.values.get('ids')?.split(',').map(Number);
  const failed = Number(context.values.get('failed')) || 0;
  const shown = new Updates(context, ids);
  const ask = async () => {
    const { updates } = await get('/updates', context.signal);
    shown.takeAll(updates);
  };
  await ask();
  context.title('Updates');
  context.show(
    h(
      'div',
      { class: 'head-line' },
      h('div', {}, h('h1', {}, ids ? plural(ids.length, 'update') : 'Updates'), shown.summary),
      ids ? h('a', { href: '#/updates' }, 'All updates') : null
    ),
    failed > 0
      ? notice('bad', `${plural(failed, 'update')} could not be started; the devices may be busy or away.`)
      : '',
    shown.body
  );
  context.on(['update', 'progress'], (update) => shown.take(update));
  context.again = ask;
}
