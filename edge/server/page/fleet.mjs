/* All devices: how many, which versions run, and a list that stays quick with ten thousand of them.
 * The server searches, filters and sorts; what is chosen stands in the address. */
import { get, query } from './api.mjs';
import { h, seldom, write } from './dom.mjs';
import { number, plural } from './format.mjs';
import { bar, devicePill, empty, errorNotice, nameOf, notice, pill, setBar, when } from './pieces.mjs';
import { Rows } from './rows.mjs';
import { versionPicture } from './versions.mjs';
import { presence, shortState } from './words.mjs';

const REFRESH_MS = 1500; // at most so often is asked again what matches, while devices change
const COUNT_MS = 1000;
const SELECTED_MAX = 100; // devices that one update page takes

const FILTERS = ['search', 'category', 'version', 'state', 'update', 'sort'];

const updateWords = {
  running: 'update running',
  none: 'no update seen',
  'token-given': 'about to begin',
  transferring: 'transferring',
  verified: 'verified',
  trial: 'on trial',
  confirmed: 'confirmed',
  reverted: 'went back',
  refused: 'refused',
};
const updateTones = {
  confirmed: 'good',
  reverted: 'warn',
  refused: 'bad',
  trial: 'busy',
  transferring: 'busy',
  verified: 'busy',
  'token-given': 'busy',
};

/* ---- rows ---- */

function makeRow(view) {
  const row = h(
    'div',
    { class: 'row', role: 'row' },
    h('span', { role: 'cell', class: 'pick' }, h('input', { type: 'checkbox', hidden: !view.mayAct })),
    h('span', { role: 'cell', class: 'name' }, h('a', {}), h('small', {})),
    h('span', { role: 'cell', class: 'state' }),
    h('span', { role: 'cell', class: 'category' }),
    h('span', { role: 'cell', class: 'version' }),
    h('span', { role: 'cell', class: 'update' }),
    h('span', { role: 'cell', class: 'seen' })
  );
  row
    .querySelector('input')
    .addEventListener('change', (event) => view.pick(row.dataset.uuid, event.target.checked));
  return row;
}

function updateCell(cell, device, running) {
  if (running) {
    const { at = 0, of = 0 } = running.progress ?? {};
    const old = cell.querySelector('.bar');
    if (!old || running.state !== 'transfer') {
      cell.replaceChildren(
        pill('busy', shortState(running.state)),
        ...(running.state === 'transfer' ? [bar(at, of, 'sent')] : [])
      );
    } else {
      setBar(old, at, of);
    }
  } else {
    const state = device.update_id ? 'running' : device.update_state;
    cell.replaceChildren(
      ...(state
        ? [pill(state === 'running' ? 'busy' : (updateTones[state] ?? 'idle'), updateWords[state] ?? state)]
        : [])
    );
  }
}

function fillRow(view, row, device) {
  const [pick, name, state, category, version, update, seen] = row.children;
  row.classList.toggle('waiting', !device);
  if (!device) {
    return;
  }
  const link = name.firstChild;
  const box = pick.firstChild;
  row.dataset.uuid = device.uuid;
  write(link, nameOf(device));
  link.href = `#/devices/${encodeURIComponent(device.uuid)}`;
  write(name.lastChild, nameOf(device) === device.uuid ? '' : device.uuid);
  box.checked = view.selected.has(device.uuid);
  box.setAttribute('aria-label', `Choose ${nameOf(device)}`);
  state.replaceChildren(devicePill(device));
  write(category, device.category);
  write(
    version,
    device.version === null ? 'not known' : `version ${device.version}${device.on_trial ? ', on trial' : ''}`
  );
  updateCell(update, device, view.running.get(device.uuid));
  seen.replaceChildren(when(device.last_seen));
}

/* ---- filters ---- */

function select(view, name, label, all) {
  const element = h('select', { id: `by-${name}`, name }, h('option', { value: '' }, all));
  element.addEventListener('change', () => view.choose({ [name]: element.value }));
  return [h('label', { for: `by-${name}`, class: 'unseen' }, label), element];
}

/** The choices that there are, with how many; the chosen one stays even when none is left. */
function offer(element, chosen, choices) {
  const list =
    choices.some(([value]) => value === chosen) || chosen === ''
      ? choices
      : [...choices, [chosen, chosen, 0]];
  const wanted = list.map(([value, word, count]) => `${value}\n${word} (${number(count)})`).join('\n');
  if (element.dataset.offer !== wanted) {
    element.dataset.offer = wanted;
    element.replaceChildren(
      element.firstChild,
      ...list.map(([value, word, count]) => h('option', { value }, `${word} (${number(count)})`))
    );
  }
  element.value = chosen;
}

function versionChoices(fleet) {
  const counts = new Map();
  for (const one of fleet.versions) {
    counts.set(one.version, (counts.get(one.version) ?? 0) + one.count);
  }
  return [...counts]
    .sort(([a], [b]) => (b ?? -1) - (a ?? -1))
    .map(([version, count]) =>
      version === null
        ? ['unknown', 'version not known', count]
        : [String(version), `version ${version}`, count]
    );
}

function offerAll(view, fleet) {
  const { category, version, state, update } = view.controls;
  offer(
    category,
    view.filter.category,
    fleet.categories.filter((one) => one.name).map((one) => [one.name, one.name, one.count])
  );
  offer(version, view.filter.version, versionChoices(fleet));
  offer(
    state,
    view.filter.state,
    fleet.states.filter((one) => one.name).map((one) => [one.name, presence(one.name).word, one.count])
  );
  offer(
    update,
    view.filter.update,
    fleet.updates
      .filter((one) => one.name)
      .map((one) => [one.name, updateWords[one.name] ?? one.name, one.count])
  );
}

/* ---- the view ---- */

class Fleet {
  constructor(context) {
    this.context = context;
    this.mayAct = context.mayAct;
    this.filter = Object.fromEntries(FILTERS.map((name) => [name, context.values.get(name) ?? '']));
    this.selected = new Set();
    this.running = new Map(); // uuid -> update
    this.rows = new Rows({
      ask: async (offset, limit) => {
        const answer = await get(`/devices${query({ ...this.filter, offset, limit })}`, context.signal);
        return { list: answer.devices, matching: answer.matching };
      },
      make: () => makeRow(this),
      fill: (row, device) => fillRow(this, row, device),
      key: (device) => device.uuid,
      onCount: (matching) => this.showCount(matching),
      onError: (error) => this.said.replaceChildren(errorNotice(error)),
    });
    this.recount = seldom(COUNT_MS, () => this.countAgain());
    this.reask = seldom(REFRESH_MS, () => this.rows.refresh());
    this.makeParts();
  }

  makeParts() {
    const search = h('input', {
      type: 'search',
      id: 'search',
      placeholder: 'Search name, label, UUID, category',
      value: this.filter.search,
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: 128,
    });
    const typed = seldom(150, () => this.choose({ search: search.value.trim() }));
    search.addEventListener('input', typed);
    const selects = {
      category: select(this, 'category', 'Category', 'Any category'),
      version: select(this, 'version', 'Version', 'Any version'),
      state: select(this, 'state', 'Presence', 'Any presence'),
      update: select(this, 'update', 'Update', 'Any update state'),
    };
    this.controls = Object.fromEntries(Object.entries(selects).map(([name, [, element]]) => [name, element]));
    this.controls.search = search;
    this.clear = h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        onclick: () => this.choose(Object.fromEntries(FILTERS.map((name) => [name, '']))),
      },
      'Show all'
    );
    this.summary = h('p', { class: 'soft', id: 'summary' });
    this.picture = h('div', {});
    this.count = h('p', { class: 'soft count', role: 'status' });
    this.said = h('div', {});
    this.actions = h('div', {
      class: 'actions',
      role: 'region',
      'aria-label': 'Chosen devices',
      hidden: true,
    });
    this.allBox = h('input', {
      type: 'checkbox',
      'aria-label': `Choose all that match, ${SELECTED_MAX} at most`,
      hidden: !this.mayAct,
      onchange: (event) => this.pickAll(event.target.checked),
    });
    this.table = h(
      'div',
      { class: 'list', role: 'table', 'aria-label': 'Devices' },
      this.headRow(),
      this.rows.body
    );
    this.listPart = h(
      'div',
      {},
      h(
        'form',
        { class: 'filters', role: 'search', onsubmit: (event) => event.preventDefault() },
        h('label', { for: 'search', class: 'unseen' }, 'Search'),
        search,
        Object.values(selects),
        this.clear
      ),
      this.count,
      this.said,
      this.table,
      this.actions
    );
  }

  headRow() {
    const head = (name, text) => {
      const button = h('button', { type: 'button', class: 'head', onclick: () => this.sortBy(name) }, text);
      return h(
        'span',
        { role: 'columnheader', class: name === 'last_seen' ? 'seen' : name, 'data-sort': name },
        button
      );
    };
    return h(
      'div',
      { role: 'rowgroup' },
      h(
        'div',
        { class: 'row heads', role: 'row', 'aria-rowindex': 1 },
        h('span', { role: 'columnheader', class: 'pick' }, this.allBox),
        head('name', 'Device'),
        head('state', 'Presence'),
        head('category', 'Category'),
        head('version', 'Version'),
        head('update', 'Last update'),
        head('last_seen', 'Heard')
      )
    );
  }

  showSort() {
    const sort = this.filter.sort || 'name';
    for (const cell of this.table.querySelectorAll('[data-sort]')) {
      const name = cell.dataset.sort;
      cell.setAttribute(
        'aria-sort',
        sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : 'none'
      );
    }
  }

  sortBy(name) {
    this.choose({ sort: (this.filter.sort || 'name') === name ? `-${name}` : name });
  }

  async choose(changes) {
    Object.assign(this.filter, changes);
    if (this.controls.search.value.trim() !== this.filter.search) {
      this.controls.search.value = this.filter.search;
    }
    history.replaceState(null, '', `#/${query(this.filter)}`);
    this.said.replaceChildren();
    this.showSort();
    this.showFleet();
    await this.rows.restart();
  }

  showCount(matching) {
    const isFiltered = FILTERS.some((name) => name !== 'sort' && this.filter[name] !== '');
    this.clear.hidden = !isFiltered;
    this.table.setAttribute('aria-rowcount', matching + 1);
    this.table.hidden = matching === 0;
    write(this.count, isFiltered ? `${number(matching)} of ${plural(this.fleet.total, 'device')}` : '');
    if (matching === 0 && isFiltered) {
      this.said.replaceChildren(
        notice('idle', 'No device matches. Take a filter away, or ', h('strong', {}, 'Show all'), '.')
      );
    } else if (this.said.querySelector('[data-tone="idle"]')) {
      this.said.replaceChildren();
    }
  }

  showFleet() {
    const { fleet } = this;
    const running = fleet.updates.find((one) => one.name === 'running')?.count ?? 0;
    write(
      this.summary,
      `${plural(fleet.total, 'device')}, ${number(fleet.online)} online${running ? `, ${plural(running, 'update')} running` : ''}`
    );
    const focused = this.picture.contains(document.activeElement)
      ? document.activeElement.dataset.part
      : null;
    this.picture.replaceChildren(versionPicture(fleet, this.filter, (choice) => this.choose(choice)));
    if (focused) {
      // the button under the hand is another one now
      [...this.picture.querySelectorAll('button')].find((button) => button.dataset.part === focused)?.focus();
    }
    offerAll(this, fleet);
  }

  async countAgain() {
    try {
      const wasEmpty = this.fleet.total === 0;
      this.fleet = await get('/fleet', this.context.signal);
      if (wasEmpty !== (this.fleet.total === 0)) {
        await this.show();
      } else {
        this.showFleet();
      }
    } catch (error) {
      if (error.name !== 'AbortError') {
        this.said.replaceChildren(errorNotice(error));
      }
    }
  }

  /* ---- choosing several ---- */

  pick(uuid, isPicked) {
    if (isPicked && this.selected.size < SELECTED_MAX) {
      this.selected.add(uuid);
    } else {
      this.selected.delete(uuid);
    }
    this.rows.touchKey(uuid);
    this.showActions();
  }

  async pickAll(isPicked) {
    this.selected.clear();
    if (isPicked) {
      const { devices } = await get(
        `/devices${query({ ...this.filter, offset: 0, limit: SELECTED_MAX })}`,
        this.context.signal
      );
      devices.forEach((device) => this.selected.add(device.uuid));
    }
    this.rows.draw(true);
    this.showActions();
  }

  showActions() {
    const count = this.selected.size;
    this.actions.hidden = count === 0;
    this.allBox.checked = count > 0 && count >= Math.min(SELECTED_MAX, this.rows.count);
    this.allBox.indeterminate = count > 0 && !this.allBox.checked;
    this.actions.replaceChildren(
      h(
        'span',
        {},
        `${plural(count, 'device')} chosen${count === SELECTED_MAX ? ', which is as many as one page takes' : ''}`
      ),
      h('button', { type: 'button', class: 'quiet', onclick: () => this.pickAll(false) }, 'Choose none'),
      h(
        'a',
        {
          class: 'button primary',
          href: `#/update?${new URLSearchParams([...this.selected].map((uuid) => ['device', uuid]))}`,
        },
        `Update ${plural(count, 'device')}`
      )
    );
  }

  /* ---- news ---- */

  takeDevice(device) {
    this.rows.put(device);
    this.recount();
    this.reask();
  }

  takeUpdate(update) {
    if (update.result) {
      this.running.delete(update.device.uuid);
      this.recount();
    } else {
      this.running.set(update.device.uuid, update);
    }
    this.rows.touchKey(update.device.uuid);
  }

  onKey(event) {
    const row = event.target.closest?.('.row:not(.heads)');
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (row && step) {
      event.preventDefault();
      this.rows.focus(this.rows.indexOf(row) + step, event.target.matches('input') ? 'input' : 'a');
    }
  }

  async show(first = null) {
    const head = h('div', { class: 'head-line' }, h('div', {}, h('h1', {}, 'Devices'), this.summary));
    if (this.fleet.total === 0) {
      write(this.summary, '');
      this.context.show(
        head,
        empty(
          'devices',
          'No device has announced itself yet',
          'A device appears here as soon as it reaches the broker and tells the bridge what it is. Nothing needs to be entered.',
          h(
            'p',
            {},
            'Switch one on that knows this broker’s address and has a user name there (',
            h('code', {}, 'mup device add'),
            ' makes one). This page notices by itself.'
          )
        )
      );
      return;
    }
    this.showFleet();
    this.showSort();
    this.context.show(head, this.picture, this.listPart);
    await this.rows.restart(first);
  }
}

export async function view(context) {
  const fleet = new Fleet(context);
  context.title('Devices');
  // Rows and numbers at the same time: the first rows are what one waits for.
  const first = fleet.rows.askFirst();
  first.catch(() => {}); // told by whoever awaits it
  const [counts, updates] = await Promise.all([
    get('/fleet', context.signal),
    get('/updates', context.signal),
  ]);
  fleet.fleet = counts;
  updates.updates
    .filter((update) => !update.result)
    .forEach((update) => fleet.running.set(update.device.uuid, update));
  await fleet.show(first);
  context.on('device', (device) => fleet.takeDevice(device));
  context.on(['update', 'progress'], (update) => fleet.takeUpdate(update));
  context.again = () => {
    fleet.countAgain();
    fleet.rows.refresh();
  };
  context.listen(window, 'scroll', () => fleet.rows.draw(), { passive: true });
  context.listen(window, 'resize', () => fleet.rows.resize());
  context.listen(context.host, 'keydown', (event) => fleet.onKey(event));
  context.every(15000, () => fleet.rows.draw(true)); // "3 min ago" goes on
}
