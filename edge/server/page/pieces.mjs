/* Pieces that several views are made of. */
import { h, s } from './dom.mjs';
import { ago, day, sentence } from './format.mjs';
import { TONES, presence, shortState } from './words.mjs';

/** A word with a dot whose colour says the same. */
export const pill = (tone, word, title) =>
  h('span', { class: 'pill', 'data-tone': tone, title }, h('i', { 'aria-hidden': 'true' }), word);

export function devicePill(device) {
  const { tone, word, text } = presence(device.state);
  return pill(tone, word, device.reason || text);
}

export const updatePill = (update) => pill(TONES[update.state] ?? 'busy', shortState(update.state));

/** The word for a device: what an operator calls it, else its MQTT name. */
export const nameOf = (device) => device.label || device.name || device.uuid;

export function bar(at, of, label) {
  const share = of > 0 ? Math.min(1, at / of) : 0;
  return h(
    'span',
    {
      class: 'bar',
      role: 'progressbar',
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': Math.round(share * 100),
    },
    h('span', { style: { transform: `scaleX(${share})` } })
  );
}

export function setBar(element, at, of) {
  const share = of > 0 ? Math.min(1, at / of) : 0;
  element.setAttribute('aria-valuenow', Math.round(share * 100));
  element.firstChild.style.transform = `scaleX(${share})`;
}

const icons = {
  devices: 'M5 4h14v11H5zM9 20h6M12 15v5',
  updates: 'M12 19V6m0 0-5 5m5-5 5 5M5 21h14',
  releases: 'M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8',
  warning: 'M12 4 3 20h18zM12 10v5M12 17.5v.5',
};

export const icon = (name) =>
  s('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, s('path', { d: icons[name] }));

/** Where there is nothing yet: why, and what to do next. */
export const empty = (name, title, text, ...more) =>
  h('section', { class: 'empty' }, icon(name), h('h2', {}, title), h('p', {}, text), more);

/** What went wrong, and what to do. */
export function problem(error, again) {
  return h(
    'section',
    { class: 'empty', 'data-tone': 'bad', role: 'alert' },
    icon('warning'),
    h('h1', {}, sentence(error.message)),
    error.hint ? h('p', {}, sentence(error.hint)) : null,
    again ? h('p', {}, h('button', { type: 'button', class: 'primary', onclick: again }, 'Try again')) : null
  );
}

export const notice = (tone, ...children) =>
  h('div', { class: 'notice', 'data-tone': tone, role: tone === 'bad' ? 'alert' : null }, children);

export const errorNotice = (error) =>
  notice('bad', h('strong', {}, sentence(error.message)), ` ${sentence(error.hint)}`);

/** term, value pairs */
export const facts = (pairs) =>
  h(
    'dl',
    { class: 'facts' },
    pairs
      .filter(Boolean)
      .map(([term, value, help]) =>
        h('div', {}, h('dt', {}, term), h('dd', {}, value, help ? h('small', {}, help) : null))
      )
  );

export const mono = (text) => h('code', {}, text);

/** A time that can be pointed at for the exact one. */
export const when = (value) => h('time', { title: day(value) }, ago(value));

/** Text that a person may want to have elsewhere. */
export function copyable(text, label) {
  const button = h('button', { type: 'button', class: 'quiet', 'aria-label': `Copy ${label}` }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select it and copy by hand';
    }
  });
  return h('span', { class: 'copyable' }, mono(text), ' ', button);
}

/** Rows that lead somewhere: [{href, cells}] under these heads. */
export function table(caption, heads, rows) {
  return h(
    'div',
    { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          heads.map((head) => h('th', { scope: 'col' }, head))
        )
      ),
      h('tbody', {}, rows)
    )
  );
}
