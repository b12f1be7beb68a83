/* What the states of docs/SPEC.md section 18 and the reasons of docs/REST.md mean: what happened, who
 * said no, and what to do. For a person who has never read either. */

const DEVICE = 'The device';
const SERVER = 'The update server';
const BRIDGE = 'The bridge';

/* reason: [title, what happened, what to do] */
const deviceSaid = {
  noop: [
    'There was nothing to do',
    'The device has nothing open that fits this message.',
    'Start the update again.',
  ],
  error: [
    'The device could not do it',
    'It did not know the request, or something in it.',
    'Look into the device’s log; its firmware may be older than this protocol.',
  ],
  'manifest-not-valid': [
    'The manifest cannot be read',
    'What arrived is not a manifest as the device knows it.',
    'Have the vendor publish the release again, and fetch it again.',
  ],
  'wrong-app-id': [
    'Made for another application',
    'The release names an application that this device does not run.',
    'Choose a release of this device’s own application.',
  ],
  'invalid-nonce': [
    'Not asked for just now',
    'The manifest did not carry the number that the device made for this update. That is how it tells a replay of old messages.',
    'Start the update again. If it comes back, somebody may be replaying messages at the broker.',
  ],
  'outer-signature-invalid': [
    'Not signed by its update server',
    'The manifest was not signed with the key of the update server that the device was introduced to.',
    'Check that this server uses the key that the vendor has certified for it.',
  ],
  'inner-signature-invalid': [
    'Not signed by its vendor',
    'The release was not signed with the vendor’s key that the device holds, or was changed after it was signed.',
    'Do not use this release. Ask the vendor for it again.',
  ],
  'invalid-version': [
    'Not newer than what runs',
    'A device takes only versions above the highest that it has ever confirmed, so that nobody can bring an old hole back.',
    'Choose a newer release. To go back to old code, the vendor publishes it under a new number.',
  ],
  'slot-in-use': [
    'Another update is about to start',
    'The place for new firmware holds an image that is about to be booted.',
    'Wait until that update has ended, then start again.',
  ],
  'image-too-big': [
    'Too large for the device',
    'The image does not fit the space that the device has for it.',
    'Choose a smaller release, or one for this hardware.',
  ],
  'image-invalid': [
    'What arrived is not what was signed',
    'The whole image in flash does not have the signed digest. It was not started.',
    'Start the update again. If it fails again, have the flash of this device looked at.',
  ],
  'wrong-device': [
    'Meant for another device',
    'The manifest names the UUID of another device.',
    'Start the update again. If it comes back, check which device carries this name at the broker.',
  ],
  'wrong-hardware-class': [
    'Made for other hardware',
    'The release is for another hardware class than this device’s.',
    'Choose a release for this hardware class.',
  ],
  'unknown-key': [
    'Signed with a key it does not know',
    'The release or the manifest carries the mark of a key that the device does not trust.',
    'Check whose release this is, and that the vendor has certified this server’s key.',
  ],
  'wrong-link-offset': [
    'Linked for another address',
    'The image would not run at the place in memory where this device starts it.',
    'Ask the vendor for a release that is linked for this device.',
  ],
  'wrong-old-version': [
    'Made for another running version',
    'The release, or the manifest, starts from a version that is not the one that runs.',
    'Start again; for a difference release, choose the one that fits the running version.',
  ],
  'block-size-unsupported': [
    'Blocks too large for its memory',
    'The release is cut into blocks that do not fit the device’s buffer.',
    'Ask the vendor for a release with smaller blocks.',
  ],
  'budget-exhausted': [
    'Too many attempts in this hour',
    'A device checks only so many signatures in an hour, so that nobody can drain its battery.',
    'Try again in an hour. If nobody here tried that often, somebody else did: look at the broker’s log.',
  ],
  'in-trial': [
    'Still proving another version',
    'The version that runs is on trial and not decided yet.',
    'Wait until it is confirmed or reverted, then start again.',
  ],
  'no-server-key': [
    'It does not know this server yet',
    'No update server was introduced to the device.',
    'Check that the bridge has the certificate that the vendor made for this server.',
  ],
  'no-manifest': [
    'It has forgotten this update',
    'It was asked to verify an update that it does not know, after a restart for example.',
    'Start the update again; what it has already is not sent twice.',
  ],
  incomplete: [
    'Not everything has arrived',
    'It was asked to verify before it had the last block.',
    'Start the update again; what it has already is not sent twice.',
  ],
  'flash-failure': [
    'Its flash does not keep data',
    'Writing failed, or read back differently.',
    'Have this device looked at: its flash may be worn out. The old version goes on running.',
  ],
  'block-invalid': [
    'A block was damaged on the way',
    'A block did not have the signed hash and was dropped before it reached flash.',
    'Nothing: it is sent again by itself.',
  ],
  'encoding-unsupported': [
    'Packed in a way it cannot unpack',
    'The firmware is encoded in a way that this device does not know.',
    'Choose a release with the full, plain image.',
  ],
};

const serverSaid = {
  'device-timeout': [
    DEVICE,
    'The device did not answer',
    'It was asked, and said nothing until the deadline.',
    'Check its power and radio. When it is online again, start the update again: what it has already is not sent twice.',
  ],
  'bridge-timeout': [
    BRIDGE,
    'The bridge did not answer',
    'The request went to the bridge, and no answer came until the deadline.',
    'Check that mup-bridge runs and is not overloaded, then start again.',
  ],
  'bridge-unreachable': [
    BRIDGE,
    'The bridge cannot be reached',
    'The update server has no connection to it.',
    'Check that mup-bridge runs and that netconf-socket names its socket.',
  ],
  'no-progress': [
    DEVICE,
    'It answers, but takes nothing more',
    'For a long time no further byte of the firmware was taken.',
    'Check radio and power of the device, then start again: what it has already is not sent twice.',
  ],
  'no-report': [
    DEVICE,
    'It has not come back',
    'It was told to boot the new version and did not report until the deadline.',
    'Check whether it reaches the broker. If the new version does not start, it goes back to the old one by itself.',
  ],
  'token-not-valid': [
    SERVER,
    'The device’s token makes no sense',
    'What the device sent as its token is not one.',
    'Its firmware does not speak this version of the protocol.',
  ],
  'answer-not-valid': [
    SERVER,
    'The device’s answer makes no sense',
    'It accepted the update, but its acknowledgement is not one.',
    'Its firmware does not speak this version of the protocol.',
  ],
  'signing-failed': [
    SERVER,
    'This server could not sign',
    'The manifest could not be signed with the server’s own key.',
    'Look into the log of mup-server; check its server-key-file.',
  ],
  'no-memory': [
    SERVER,
    'This server is out of memory',
    'The update could not be kept going.',
    'Look at the machine that runs mup-server.',
  ],
  'unknown-device': [
    BRIDGE,
    'The bridge does not know this device',
    'It has never announced itself here, or was removed.',
    'Check that the device is on and reaches the broker.',
  ],
  'device-quarantined': [
    BRIDGE,
    'This device is in quarantine',
    'An operator has put it there: nothing is asked of it.',
    'Release it first: mup devices release NAME.',
  ],
  'device-retired': [
    BRIDGE,
    'This device was taken out of service',
    'The bridge asks nothing of it any more.',
    'If it is to come back, an administrator releases it.',
  ],
  'access-denied': [
    BRIDGE,
    'You may not do that',
    'The access rules of the bridge do not allow you this call.',
    'Ask an administrator of the bridge for it.',
  ],
};

/* Why a device went back: the report of the old version after it runs again. */
const reverts = {
  'trials-used-up': [
    'The new version did not prove itself',
    'It was started on trial several times and never reached the broker to say so.',
  ],
  deadline: ['The new version ran out of time', 'It did not confirm within the hours that a trial has.'],
  'image-invalid': [
    'The new image was damaged',
    'Before it was started, it no longer had the signed digest.',
  ],
  'signature-invalid': [
    'The new image’s signature did not hold',
    'The bootloader checked it once more before the first start, and refused.',
  ],
  requested: ['It was asked to go back', 'The new version itself asked for the old one.'],
};

/* While it runs: what is being done at this moment. */
const running = {
  requested: 'Looking up the device',
  token: 'Asking the device for a token',
  manifest: 'The device checks the manifest',
  transfer: 'Sending the firmware',
  verify: 'The device checks the whole image',
  trial: 'The device restarts into the new version, on trial',
};

const short = {
  requested: 'starting',
  token: 'token',
  manifest: 'manifest',
  transfer: 'transfer',
  verify: 'verify',
  trial: 'on trial',
  confirmed: 'confirmed',
  failed: 'failed',
  reverted: 'went back',
};

export const TONES = { confirmed: 'good', failed: 'bad', reverted: 'warn' };

export const shortState = (state) => short[state] ?? state;

/** Whether the update server stopped it by itself, before anything was sent. */
const stoppedEarly = (update) => /^nothing was sent/.test(update.message ?? '');

function failure(update) {
  const { reason } = update;
  if (serverSaid[reason]) {
    const [who, title, text, todo] = serverSaid[reason];
    return {
      tone: 'bad',
      title,
      text,
      who: `Noticed by ${who === DEVICE ? SERVER.toLowerCase() : who.toLowerCase()}`,
      todo,
    };
  }
  const [title, text, todo] = deviceSaid[reason] ?? [
    'The update failed',
    '',
    'Look at what was said below; the log of mup-server has more.',
  ];
  const who = stoppedEarly(update)
    ? 'Stopped by the update server: it read the device’s token and sent nothing, because the device would have refused'
    : 'Refused by the device';
  return { tone: 'bad', title, text, who, todo };
}

/** How an update stands: {tone, title, text, who, todo}; who and todo only where there is one. */
export function outcome(update) {
  const name = update.device.name;
  if (update.state === 'confirmed') {
    return {
      tone: 'good',
      title: `Version ${update.to} runs and is confirmed`,
      text: `${name} checked every block, started the new version on trial, reached the broker with it, and keeps it.`,
      who: 'Confirmed by the device',
      todo: 'Nothing: it is done.',
    };
  }
  if (update.state === 'reverted') {
    const [title, text] = reverts[update.reason] ?? ['The device went back', 'The new version did not stay.'];
    return {
      tone: 'warn',
      title,
      text: `${text} Version ${update.from} runs again, and the device is well.`,
      who: 'Decided by the device',
      todo: 'Tell the vendor: this release does not work on this device. Do not send it to others.',
    };
  }
  if (update.state === 'failed') {
    const made = failure(update);
    return {
      ...made,
      text: `${made.text} ${update.from ? `Version ${update.from} goes on running.` : 'Nothing on the device has changed.'}`.trim(),
    };
  }
  return { tone: 'busy', title: running[update.state] ?? update.state, text: update.message ?? '' };
}

/* ---- devices ---- */

const presences = {
  ready: ['good', 'Online', 'Connected, and its description is known.'],
  announced: ['busy', 'Arriving', 'It announced itself; its description is on the way.'],
  offline: ['idle', 'Offline', 'It was here, and its connection is gone. A battery device may be asleep.'],
  refused: ['bad', 'Refused', 'The bridge cannot use its description.'],
  quarantined: [
    'warn',
    'Quarantine',
    'An operator has put it there: nothing is asked of it, nothing that it says is believed.',
  ],
  retired: ['idle', 'Retired', 'It was taken out of service.'],
};

/** {tone, word, text} of a device's state. */
export function presence(state) {
  const [tone, word, text] = presences[state] ?? ['idle', state ?? 'unknown', ''];
  return { tone, word, text };
}

/* ---- calls ---- */

/** The answer to a call, such as 10_OK: {tone, title, text}. `states` are those that its module declares. */
export function answer(state, meaning, states = []) {
  const [number, ...rest] = String(state).split('_');
  const name = rest.join('-').toLowerCase();
  const declared = states.find((one) => one.name === state)?.description;
  // One word, such as the state's own name, says less than what stands below.
  const text = [meaning, declared].find((one) => one?.includes(' ')) ?? '';
  if (number === '10') {
    return { tone: 'good', title: 'Done', text: text || 'The device did as it was asked.' };
  }
  if (number === '11') {
    return { tone: 'good', title: 'Nothing to do', text: text || 'The device was that way already.' };
  }
  const known = deviceSaid[name];
  return {
    tone: 'bad',
    title: known ? known[0] : 'The device refused',
    text: text || (known ? known[1] : String(state)),
  };
}
