/* Which versions run, as a picture: a bar for each category of device, a part for each version. The
 * newest has the strongest colour. Each part is a button that shows its devices. */
import { h } from './dom.mjs';
import { number, plural } from './format.mjs';

const BARS_MAX = 8;
const PARTS_MAX = 10; // of a bar; older versions than these stand together

const titleOf = (version) => (version === null ? 'not known' : `version ${version}`);

function partsOf(list) {
  const known = list.filter((one) => one.version !== null).sort((a, b) => b.version - a.version);
  const unknown = list.filter((one) => one.version === null);
  const older = known.slice(PARTS_MAX);
  const parts = known.slice(0, PARTS_MAX);
  if (older.length > 0) {
    parts.push({
      category: list[0].category,
      older: older.length,
      count: older.reduce((sum, one) => sum + one.count, 0),
      on_trial: 0,
    });
  }
  return [...parts, ...unknown];
}

function part(one, rank, total, filter, choose) {
  const isChosen =
    filter.category === one.category &&
    filter.version === (one.version === null ? 'unknown' : String(one.version));
  const label = one.older ? `${one.older} older versions` : titleOf(one.version);
  const trial = one.on_trial > 0 ? `, ${number(one.on_trial)} on trial` : '';
  const look = one.version === null || one.older ? 'unknown' : String(Math.min(rank, 4));
  return h(
    'button',
    {
      type: 'button',
      class: 'part',
      'data-rank': look,
      'aria-pressed': String(isChosen),
      disabled: Boolean(one.older),
      title: `${label}: ${plural(one.count, 'device')}${trial}`,
      'data-part': `${one.category}/${label}`,
      style: { 'flex-grow': String(Math.max(one.count / total, 0.04)) },
      onclick: () =>
        choose(
          isChosen
            ? { category: '', version: '' }
            : { category: one.category, version: one.version === null ? 'unknown' : String(one.version) }
        ),
    },
    h('span', { class: 'unseen' }, `${one.category || 'no category'}, `),
    h('b', {}, one.older ? 'older' : one.version === null ? '?' : `v${one.version}`),
    ' ',
    h('span', {}, number(one.count)),
    h('span', { class: 'unseen' }, ` of them${trial}`)
  );
}

/** fleet: as GET /fleet; filter: what is chosen; choose({category, version}) */
export function versionPicture(fleet, filter, choose) {
  const groups = new Map();
  for (const one of fleet.versions) {
    groups.set(one.category, [...(groups.get(one.category) ?? []), one]);
  }
  const sorted = [...groups]
    .map(([category, list]) => ({ category, list, total: list.reduce((sum, one) => sum + one.count, 0) }))
    .sort((a, b) => b.total - a.total);
  const bars = sorted.slice(0, BARS_MAX).map(({ category, list, total }) =>
    h(
      'div',
      { class: 'version-bar' },
      h('span', { class: 'version-name' }, category || 'no category', ' ', h('small', {}, number(total))),
      h(
        'div',
        { class: 'parts' },
        partsOf(list).map((one, rank) => part(one, rank, total, filter, choose))
      )
    )
  );
  const rest = sorted.length - BARS_MAX;
  return h(
    'section',
    { class: 'versions', 'aria-label': 'Firmware versions that run' },
    h('h2', {}, 'Versions that run'),
    bars,
    rest > 0 ? h('p', { class: 'soft' }, `and ${plural(rest, 'more category', 'more categories')}`) : null
  );
}
