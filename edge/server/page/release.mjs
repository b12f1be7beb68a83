/* One release: what its vendor has signed, in words. */
import { get } from './api.mjs';
import { h } from './dom.mjs';
import { bytes, day, number } from './format.mjs';
import { copyable, facts, notice } from './pieces.mjs';

/** Digests as digits, large numbers with their thousands apart. */
function pretty(value) {
  if (/^[0-9a-f]{16,}$/.test(value)) {
    return h('code', {}, value);
  }
  return /^\d{4,}$/.test(value) ? number(value) : value;
}

export async function view(context) {
  const release = await get(`/releases/${context.parts[0]}`, context.signal);
  const title = `${release.app} version ${release.version}`;
  context.title(title);
  context.show(
    h('p', { class: 'crumbs' }, h('a', { href: '#/releases' }, 'Releases'), ' › ', title),
    h('h1', {}, title),
    h(
      'p',
      { class: 'lead' },
      `For devices of the hardware class ${release.hardware}. ${bytes(release.payload_size)} go to each device and become ${bytes(release.image_size)} in its flash.`
    ),
    release.signer.trusted
      ? notice(
          'good',
          h('strong', {}, 'Signed by the vendor whom this server trusts'),
          ', and every block is as signed. Key ',
          h('code', {}, release.signer.kid),
          '.'
        )
      : notice(
          'bad',
          h('strong', {}, 'Not signed by the vendor whom this server trusts.'),
          ' It cannot go to any device.'
        ),
    h(
      'section',
      { class: 'card' },
      h('h2', {}, 'What the vendor has signed'),
      facts(release.fields.map((field) => [field.name, pretty(field.value), field.description]))
    ),
    h(
      'section',
      { class: 'card' },
      h('h2', {}, 'Where it is from'),
      facts([
        ['Fetched from', h('code', {}, release.url)],
        ['Fetched', day(release.fetched_ms)],
        [
          'Digest of the manifest',
          copyable(release.manifest_digest, 'the manifest digest'),
          'by which a transfer and a report name this release',
        ],
      ])
    )
  );
}
