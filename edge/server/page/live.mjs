/* What happens at the edge, as it happens: one event stream for the whole page.
 *
 * The stream is narrowed to what a view shows: values of one device on its page, none elsewhere. It
 * goes on behind the last event that was seen, so nothing is missed between two streams. Where the
 * server has forgotten that event it says `reset`, and all that is shown is asked for again. */

const COMMON = ['update', 'progress', 'device', 'release', 'refused', 'bridge'];
const OF_A_DEVICE = ['telemetry', 'notification'];
export const KINDS = [...COMMON, ...OF_A_DEVICE];
const RETRY_FIRST_MS = 1000;
const RETRY_LAST_MS = 15000;
const HIDDEN_MS = 30000;

const listeners = new Map();
let source = null;
let retry_ms = RETRY_FIRST_MS;
let timer = 0;
let isMissed = false; // something may have happened that no stream told
let isResting = false; // nobody looks at this tab
let wanted = null; // the device whose values are wanted
let lastId = '';

export const state = { tone: 'idle', since: 0, bridge: true };

/** Call `call(data)` for each event of a kind. The page's own: `link` changed, load all `again`, the
 * stream was `denied`. Returns how to stop. */
export function on(kind, call) {
  const set = listeners.get(kind) ?? new Set();
  listeners.set(kind, set.add(call));
  return () => set.delete(call);
}

function tell(kind, data) {
  for (const call of [...(listeners.get(kind) ?? [])]) {
    call(data);
  }
}

function become(tone) {
  if (state.tone !== tone) {
    state.tone = tone;
    state.since = Date.now();
    tell('link', state);
  }
}

function parsed(event) {
  try {
    return JSON.parse(event.data);
  } catch {
    return null; // a line that was cut off: the next one comes
  }
}

function opened() {
  const again = isMissed;
  isMissed = false;
  retry_ms = RETRY_FIRST_MS;
  become('live');
  if (again) {
    tell('again');
  }
}

function failed() {
  isMissed = true;
  become('lost');
  if (source.readyState === EventSource.CLOSED) {
    source = null;
    clearTimeout(timer);
    timer = setTimeout(open, retry_ms);
    retry_ms = Math.min(2 * retry_ms, RETRY_LAST_MS);
    tell('denied');
  }
}

/* Whether the server reaches the bridge, which everything about devices comes from. */
function takeBridge({ bridge }) {
  if (state.bridge !== bridge) {
    state.bridge = bridge;
    tell('link', state);
    if (bridge) {
      tell('again');
    }
  }
}

function take(kind, event) {
  const data = parsed(event);
  lastId = event.lastEventId || lastId;
  if (!data) {
    return;
  }
  if (kind === 'bridge' || kind === 'ready') {
    takeBridge(data);
  } else {
    tell(kind, data);
  }
}

function address() {
  const wish = wanted ? { kinds: KINDS.join(), device: wanted } : { kinds: COMMON.join() };
  return `/api/v1/events?${new URLSearchParams(lastId ? { ...wish, 'last-event-id': lastId } : wish)}`;
}

export function open() {
  if (source || isResting) {
    return;
  }
  source = new EventSource(address());
  source.addEventListener('open', opened);
  source.addEventListener('error', failed);
  source.addEventListener('reset', () => {
    lastId = '';
    tell('again');
  });
  for (const kind of ['ready', ...KINDS]) {
    source.addEventListener(kind, (event) => take(kind, event));
  }
}

/** Ends when the stream is open, or after this time. */
export function begun(most_ms) {
  return new Promise((resolve) => {
    if (state.tone === 'live') {
      resolve();
      return;
    }
    const timeout = setTimeout(() => {
      isMissed = true;
      resolve();
    }, most_ms);
    const stop = on('link', () => {
      stop();
      clearTimeout(timeout);
      resolve();
    });
  });
}

/** Also the values and events of this device; null: of none. */
export function want(device) {
  if (wanted === device) {
    return;
  }
  wanted = device;
  if (source) {
    source.close();
    source = null;
    open();
  }
}

export function close() {
  clearTimeout(timer);
  isResting = false;
  source?.close();
  source = null;
  isMissed = false;
  wanted = null;
  lastId = '';
  state.tone = 'idle';
  state.bridge = true;
}

/* A browser has six connections to a server for all its tabs together: one that nobody looks at gives
 * its stream back, and catches up when it is looked at again. */
let hiddenTimer = 0;

document.addEventListener('visibilitychange', () => {
  clearTimeout(hiddenTimer);
  if (document.hidden && source) {
    hiddenTimer = setTimeout(() => {
      source?.close();
      source = null;
      isResting = true;
    }, HIDDEN_MS);
  } else if (!document.hidden && isResting) {
    isResting = false;
    open();
  }
});

/** Do not wait for the pause to pass. */
export function hurry() {
  if (state.tone === 'lost') {
    clearTimeout(timer);
    source?.close();
    source = null;
    open();
  }
}
