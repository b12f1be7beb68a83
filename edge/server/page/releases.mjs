/* The releases that are kept here, those that were refused, and how to fetch another. */
import { get, post } from './api.mjs';
import { h, say } from './dom.mjs';
import { brief, bytes, plural, sentence } from './format.mjs';
import { empty, errorNotice, notice, table, when } from './pieces.mjs';

class Releases {
  constructor(context) {
    this.context = context;
    this.list = h('div', {});
    this.refused = h('div', {});
    this.said = h('div', { role: 'status' });
    this.address = h('input', {
      id: 'url',
      type: 'url',
      required: true,
      maxlength: 1000,
      placeholder: 'https://vendor.example/app/2/hardware',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-describedby': 'url-help',
    });
    this.button = h('button', { class: 'primary' }, 'Fetch and check');
  }

  form() {
    return h(
      'form',
      { class: 'card fetch', novalidate: true, onsubmit: (event) => this.submit(event) },
      h('h2', {}, 'Fetch a release'),
      h('label', { for: 'url' }, 'Address of its folder in the vendor’s repository'),
      h('div', { class: 'entry' }, this.address, this.button),
      h(
        'p',
        { class: 'help', id: 'url-help' },
        'It is taken only if it carries the signature of the vendor whom this server trusts, and every block and the whole image are as signed.'
      ),
      this.said
    );
  }

  async submit(event) {
    event.preventDefault();
    if (!/^https?:\/\/./.test(this.address.value.trim())) {
      this.said.replaceChildren(notice('bad', 'Enter an address that begins with http:// or https://.'));
      this.address.focus();
      return;
    }
    this.button.disabled = true;
    this.said.replaceChildren(notice('busy', 'Fetching and checking …'));
    try {
      const release = await post('/releases', { url: this.address.value.trim() });
      this.said.replaceChildren(
        notice(
          'good',
          h('strong', {}, `${release.app} version ${release.version}`),
          ' is here and in order. ',
          h('a', { href: `#/releases/${release.id}` }, 'What it is')
        )
      );
      this.address.value = '';
    } catch (error) {
      this.said.replaceChildren(errorNotice(error));
    } finally {
      this.button.disabled = false;
    }
    await this.ask();
  }

  async ask() {
    const { releases, refused } = await get('/releases', this.context.signal);
    this.show(releases, refused);
  }

  show(releases, refused) {
    const sorted = [...releases].sort((a, b) => b.fetched_ms - a.fetched_ms);
    this.list.replaceChildren(
      sorted.length === 0
        ? empty(
            'releases',
            'No release is kept here yet',
            this.context.mayAct
              ? 'Ask your vendor for the address of one and enter it above.'
              : 'An operator fetches them from the vendor.'
          )
        : table(
            'Releases',
            ['Release', 'For hardware', 'To send', 'In flash', 'Signed by', 'Fetched'],
            sorted.map((release) =>
              h(
                'tr',
                {},
                h(
                  'td',
                  {},
                  h('a', { href: `#/releases/${release.id}` }, `${release.app} version ${release.version}`)
                ),
                h('td', {}, release.hardware),
                h('td', {}, bytes(release.payload_size)),
                h('td', {}, bytes(release.image_size)),
                h('td', {}, h('code', {}, brief(release.vendor_kid))),
                h('td', {}, when(release.fetched_ms))
              )
            )
          )
    );
    this.refused.replaceChildren(
      refused.length === 0
        ? ''
        : h(
            'section',
            { class: 'card', 'aria-label': 'Refused' },
            h('h2', {}, 'Refused'),
            h(
              'p',
              { class: 'soft' },
              `${plural(refused.length, 'release')} did not come in since the server was started.`
            ),
            h(
              'ul',
              { class: 'refused' },
              refused.map((one) =>
                h(
                  'li',
                  {},
                  h('b', {}, sentence(one.message)),
                  ` ${sentence(one.hint)}`,
                  h('small', {}, `${one.url} `, when(one.at_ms))
                )
              )
            )
          )
    );
  }
}

export async function view(context) {
  const shown = new Releases(context);
  context.title('Releases');
  await shown.ask();
  context.show(
    h('div', { class: 'head-line' }, h('h1', {}, 'Releases')),
    context.mayAct
      ? shown.form()
      : notice('idle', 'You may look, but not fetch. Ask an administrator for the role of an operator.'),
    shown.list,
    shown.refused
  );
  const ask = () => shown.ask().catch(() => {}); // a loss of the server is told by the banner
  context.on('release', (release) => {
    say(`${release.app} version ${release.version} was fetched`);
    ask();
  });
  context.on('refused', ask);
  context.again = ask;
}
