/* Begin an update: which devices, which release, whether it may go on; then start. */
import { get, post, query } from './api.mjs';
import { h, say, write } from './dom.mjs';
import { brief, bytes, plural, sentence } from './format.mjs';
import { devicePill, empty, errorNotice, nameOf, notice, pill } from './pieces.mjs';

const ASKED_MAX = 4; // releases that the device is asked about before one is chosen
const SUGGESTED_MAX = 30; // releases that are looked at before one is chosen
const AT_ONCE = 4; // questions to the server at the same time

/** Carry out work(item) for all, a few at a time. */
async function forAll(list, work) {
  const left = [...list];
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, left.length) }, async () => {
      while (left.length > 0) {
        await work(left.shift());
      }
    })
  );
}

/* name: [when it holds, when it does not, while it is not known] */
const checkNames = {
  ready: ['It is there', 'It cannot be reached', 'Is it there?'],
  idle: ['No other update of it runs', 'Another update of it runs', 'Does another update run?'],
  vendor: ['Signed by the vendor', 'Not signed by the vendor', 'Signed by the vendor?'],
  newer: ['Newer than what runs', 'Not newer than what runs', 'Newer than what runs?'],
  fits: ['Made for this device', 'Not made for this device', 'Made for this device?'],
  device: ['The device itself agrees', 'The device would refuse', 'Does the device agree?'],
};
const tones = { true: 'good', false: 'bad', null: 'idle' };

function checkList(checks) {
  return h(
    'ul',
    { class: 'checks' },
    checks.map(({ name, ok, message }) => {
      const [yes, no, open] = checkNames[name] ?? [name, name, name];
      return h(
        'li',
        { 'data-tone': tones[ok], 'data-check': name },
        h('i', { 'aria-hidden': 'true' }),
        h(
          'span',
          {},
          h('b', {}, ok === null ? open : ok ? yes : no),
          ' ',
          h('span', { class: 'soft' }, sentence(message))
        )
      );
    })
  );
}

/** Of one among many devices only what speaks against it. */
function shortList(check) {
  const against = check.checks.filter((one) => one.ok === false);
  return against.length > 0
    ? checkList(against)
    : h(
        'ul',
        { class: 'checks' },
        h(
          'li',
          { 'data-tone': 'good' },
          h('i', { 'aria-hidden': 'true' }),
          h('span', {}, 'Nothing speaks against it.')
        )
      );
}

/** One word for a release: whether it may go on the one device that is chosen. */
function shortVerdict(check) {
  if (check.may) {
    return check.asked ? pill('good', 'may go on') : pill('idle', 'the device was not asked');
  }
  const wrong = check.checks.find((one) => one.ok === false);
  return wrong ? pill('idle', (checkNames[wrong.name] ?? ['', wrong.name])[1].toLowerCase()) : null;
}

class Start {
  constructor(context, devices, releases) {
    Object.assign(this, { context, devices, releases });
    this.checks = new Map(); // uuid -> Check or ApiError, of the chosen release
    this.lines = new Map();
    this.release = null;
    this.round = 0;
    this.choices = new Map(); // release id -> {release, box, word}
    this.button = h('button', { class: 'primary', disabled: true }, 'Start');
    this.verdict = h('p', { class: 'soft', role: 'status' });
    this.said = h('div', {});
    this.deviceList = h(
      'ul',
      { class: 'targets' },
      devices.map((device) => this.makeLine(device))
    );
    this.form = h(
      'form',
      { class: 'start', onsubmit: (event) => this.submit(event) },
      h('section', { class: 'card' }, h('h2', {}, '1. The release'), this.releasePart()),
      h(
        'section',
        { class: 'card' },
        h('h2', {}, devices.length === 1 ? '2. May it go on?' : '2. May it go on them?'),
        this.deviceList
      ),
      h('section', { class: 'card begin' }, this.verdict, this.said, this.button)
    );
  }

  makeLine(device) {
    const result = h('div', { class: 'target-checks' }, h('p', { class: 'soft' }, 'Choose a release.'));
    this.lines.set(device.uuid, result);
    return h(
      'li',
      { 'data-device': device.uuid },
      h(
        'div',
        { class: 'target-head' },
        h('a', { href: `#/devices/${encodeURIComponent(device.uuid)}` }, nameOf(device)),
        devicePill(device),
        h(
          'span',
          { class: 'soft' },
          device.version === null ? 'version not known' : `runs version ${device.version}`
        )
      ),
      result
    );
  }

  releasePart() {
    const sorted = [...this.releases].sort(
      (a, b) => a.app.localeCompare(b.app) || a.hardware.localeCompare(b.hardware) || b.version - a.version
    );
    return h(
      'fieldset',
      { class: 'choices' },
      h('legend', { class: 'unseen' }, 'Release'),
      sorted.map((release) => {
        const box = h('input', {
          type: 'radio',
          name: 'release',
          value: release.id,
          onchange: () => this.choose(release),
        });
        const word = h('span', {});
        this.choices.set(release.id, { release, box, word });
        return h(
          'label',
          { class: 'choice' },
          box,
          h(
            'span',
            {},
            h('b', {}, `${release.app} version ${release.version}`),
            h(
              'span',
              { class: 'soft' },
              ` for ${release.hardware}, ${bytes(release.payload_size)} to send, signed by key ${brief(release.vendor_kid)}`
            )
          ),
          word
        );
      })
    );
  }

  /** Choose this one, as if by hand. */
  take(id) {
    const choice = this.choices.get(id);
    if (choice) {
      choice.box.checked = true;
      this.choose(choice.release);
    }
    return Boolean(choice);
  }

  /** For one device: which of the releases may go on it, and choose the newest that may. */
  async suggest() {
    const hopeful = [];
    const may = async ({ release, word }, ask = '') => {
      const check = await this.check(this.devices[0], release, ask).catch(() => null);
      word.replaceChildren((check && shortVerdict(check)) ?? '');
      return Boolean(check?.may);
    };
    await forAll([...this.choices.values()].slice(0, SUGGESTED_MAX), async (choice) => {
      if (await may(choice)) {
        hopeful.push(choice);
      }
    });
    // Whether it is made for this device only the device can say.
    hopeful.sort((a, b) => b.release.version - a.release.version);
    for (const choice of hopeful.slice(0, ASKED_MAX)) {
      if (this.release) {
        return; // somebody has chosen by hand
      }
      if (await may(choice, true)) {
        this.take(choice.release.id);
      }
    }
  }

  check(device, release, ask) {
    return get(
      `/updates/check${query({ device: device.uuid, release: release.id, ask })}`,
      this.context.signal
    );
  }

  async choose(release) {
    const round = ++this.round;
    this.release = release;
    this.checks.clear();
    this.said.replaceChildren();
    this.showVerdict();
    for (const line of this.lines.values()) {
      line.replaceChildren(h('p', { class: 'soft' }, 'Looking …'));
    }
    await forAll(this.devices, (device) => this.look(device, round));
    // One device may as well be asked itself, which makes it certain; a hundred need not be woken.
    if (this.devices.length === 1 && this.checks.get(this.devices[0].uuid)?.may) {
      await this.look(this.devices[0], round, true);
    }
  }

  async look(device, round, ask = '') {
    let made;
    try {
      made = await this.check(device, this.release, ask);
    } catch (error) {
      made = error;
    }
    if (round !== this.round || this.context.signal.aborted || this.isBegun) {
      return;
    }
    this.checks.set(device.uuid, made);
    if (this.devices.length === 1 && made.asked) {
      this.choices.get(this.release.id).word.replaceChildren(shortVerdict(made) ?? '');
    }
    this.lines
      .get(device.uuid)
      .replaceChildren(
        made instanceof Error
          ? errorNotice(made)
          : this.devices.length === 1
            ? checkList(made.checks)
            : shortList(made)
      );
    this.showVerdict();
  }

  willing() {
    return this.devices.filter((device) => this.checks.get(device.uuid)?.may === true);
  }

  showVerdict() {
    const willing = this.willing().length;
    const all = this.devices.length;
    const isLooking = this.release && this.checks.size < all;
    this.button.disabled = !this.release || isLooking || willing === 0;
    write(
      this.button,
      all === 1 || willing === 0 ? 'Start the update' : `Start ${plural(willing, 'update')}`
    );
    let text = 'Choose what shall run.';
    if (isLooking) {
      text = 'Looking whether it may go on …';
    } else if (this.release && willing === all) {
      text =
        'Nothing speaks against it. The device checks all of this by itself once more before it takes a byte.';
    } else if (this.release && willing === 0) {
      text = 'It may not go on: see above why. Choose another release.';
    } else if (this.release) {
      text = `It may go on ${plural(willing, 'device')} of ${all}; the others are left alone.`;
    }
    write(this.verdict, text);
  }

  async submit(event) {
    event.preventDefault();
    const targets = this.willing();
    const begun = [];
    const failed = [];
    this.isBegun = true;
    this.button.disabled = true;
    await forAll(targets, async (device) => {
      try {
        begun.push(await post('/updates', { device: device.uuid, release: this.release.id }));
      } catch (error) {
        failed.push([device, error]);
      }
    });
    if (begun.length === 0) {
      this.said.replaceChildren(...failed.map(([device, error]) => this.failedLine(device, error)));
      this.isBegun = false;
      this.button.disabled = false;
      return;
    }
    say(`${plural(begun.length, 'update')} started`);
    if (begun.length === 1 && failed.length === 0) {
      location.hash = `#/updates/${begun[0].id}`;
    } else {
      location.hash = `#/updates${query({
        ids: begun
          .map((update) => update.id)
          .sort((a, b) => a - b)
          .join(),
        failed: failed.length || '',
      })}`;
    }
  }

  failedLine(device, error) {
    const id = error.details?.id;
    return notice(
      'bad',
      h('strong', {}, `${nameOf(device)}: ${error.message}.`),
      ` ${sentence(error.hint)} `,
      id ? h('a', { href: `#/updates/${id}` }, 'Watch the one that runs') : ''
    );
  }
}

async function devicesOf(context) {
  const wanted = [...new Set(context.values.getAll('device'))].slice(0, 100);
  const devices = [];
  await forAll(wanted, async (uuid) =>
    devices.push(await get(`/devices/${encodeURIComponent(uuid)}`, context.signal))
  );
  return devices.sort((a, b) => wanted.indexOf(a.uuid) - wanted.indexOf(b.uuid));
}

export async function view(context) {
  const [devices, { releases }] = await Promise.all([devicesOf(context), get('/releases', context.signal)]);
  const title =
    devices.length === 1 ? `Update ${nameOf(devices[0])}` : `Update ${plural(devices.length, 'device')}`;
  context.title(title);
  const head = [
    h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Devices'), ' › ', 'Update'),
    h('h1', {}, title),
  ];
  if (devices.length === 0) {
    context.show(
      ...head,
      empty(
        'devices',
        'No device is chosen',
        'Choose one or several in the list of devices.',
        h('p', {}, h('a', { class: 'button primary', href: '#/' }, 'To the devices'))
      )
    );
  } else if (!context.mayAct) {
    context.show(
      ...head,
      empty('updates', 'You may look, but not update', 'Ask an administrator for the role of an operator.')
    );
  } else if (releases.length === 0) {
    context.show(
      ...head,
      empty(
        'releases',
        'There is no release yet',
        'Fetch one from its vendor first; then come back.',
        h('p', {}, h('a', { class: 'button primary', href: '#/releases' }, 'Fetch a release'))
      )
    );
  } else {
    const start = new Start(context, devices, releases);
    context.show(...head, start.form);
    const wanted = context.values.get('release');
    if (!start.take(Number(wanted))) {
      start.showVerdict();
    }
    if (devices.length === 1) {
      await start.suggest();
    }
  }
}
