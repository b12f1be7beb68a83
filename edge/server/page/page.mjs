/* The page: who is logged in, which view is shown, and whether the server is there.
 *
 * A view is a function of its address that fills an element and says what to do on news; everything
 * that it asked to be told ends with it. */
import { ApiError, logOut, session, whenSessionIsLost } from './api.mjs';
import { h, say, write } from './dom.mjs';
import { clock } from './format.mjs';
import * as live from './live.mjs';
import { logInView } from './login.mjs';
import { notice, problem } from './pieces.mjs';

const host = document.getElementById('view');
const tabs = new BroadcastChannel('mup-session'); // the other tabs of this browser
const stream_ms = 1000; // so long a view waits for the event stream, then does without
const slowly_ms = 200; // so long nothing says "loading": most answers are there before

const places = [
  [/^\/$/, 'fleet', './fleet.mjs'],
  [/^\/devices\/([^/]+)$/, 'fleet', './device.mjs'],
  [/^\/update$/, 'updates', './start.mjs'],
  [/^\/updates$/, 'updates', './updates.mjs'],
  [/^\/updates\/(\d+)$/, 'updates', './progress.mjs'],
  [/^\/releases$/, 'releases', './releases.mjs'],
  [/^\/releases\/(\d+)$/, 'releases', './release.mjs'],
];

let me = null;
let current = null; // what the shown view has asked for

/* ---- views ---- */

/** What a view gets: where to put itself, its address, and news until it is left. News that come while
 * a view still asks how things stand are kept for it, so that none falls between. */
function makeContext(parts, values) {
  const controller = new AbortController();
  const ends = [];
  let heard = [];
  const stops = live.KINDS.map((kind) => live.on(kind, (data) => heard.push([kind, data])));
  const hearNoMore = () => {
    stops.splice(0).forEach((stop) => stop());
    heard = [];
  };
  ends.push(hearNoMore);
  const slow = setTimeout(
    () => host.replaceChildren(h('p', { class: 'loading', role: 'status' }, 'Loading …')),
    slowly_ms
  );
  ends.push(() => clearTimeout(slow));
  return {
    host,
    parts,
    values,
    me,
    /** What the view shows from now on. */
    show(...children) {
      clearTimeout(slow);
      host.replaceChildren(...children);
    },
    signal: controller.signal,
    mayAct: me?.role !== 'read-only',
    hearNoMore,
    /** Kinds that tell of the same thing go to one call, in the order in which they came. */
    on(kinds, call) {
      const wanted = [kinds].flat();
      heard.filter(([kind]) => wanted.includes(kind)).forEach(([, data]) => call(data));
      wanted.forEach((kind) => ends.push(live.on(kind, call)));
    },
    every(ms, call) {
      const timer = setInterval(call, ms);
      ends.push(() => clearInterval(timer));
    },
    listen(target, kind, call, options) {
      target.addEventListener(kind, call, { ...options, signal: controller.signal });
    },
    title(text) {
      document.title = text ? `${text} · MUP` : 'MUP';
    },
    end() {
      controller.abort();
      ends.forEach((stop) => stop());
    },
  };
}

function leave() {
  current?.end();
  current = null;
}

function showProblem(error, again) {
  host.replaceChildren(
    problem(
      error instanceof ApiError
        ? error
        : {
            message: 'This page has stumbled.',
            hint: `Reload it. If it stumbles again, this is a fault in the page: ${error.message}`,
          },
      again
    )
  );
}

async function show({ focus = true } = {}) {
  leave();
  if (!me) {
    return;
  }
  const [path, search] = (location.hash.replace(/^#/, '') || '/').split('?');
  const [pattern, nav, file] = places.find(([one]) => one.test(path)) ?? [];
  for (const link of document.querySelectorAll('[data-nav]')) {
    if (link.dataset.nav === nav) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }
  if (!file) {
    host.replaceChildren(
      problem({
        message: 'There is no such page.',
        hint: 'The address was mistyped, or is of another version.',
      }),
      h('p', { class: 'center' }, h('a', { href: '#/' }, 'To the devices'))
    );
    return;
  }
  const context = makeContext(
    pattern.exec(path).slice(1).map(decodeURIComponent),
    new URLSearchParams(search)
  );
  current = context;
  if (file !== './device.mjs') {
    live.want(null);
  }
  try {
    const { view } = await import(file);
    await view(context);
    context.hearNoMore();
    if (!context.signal.aborted && focus) {
      window.scrollTo(0, 0);
      host.focus({ preventScroll: true });
      say(document.title);
    }
  } catch (error) {
    if (!context.signal.aborted && error.name !== 'AbortError' && me) {
      context.end();
      showProblem(error, () => show());
    }
  }
}

/* ---- whether the server is there ---- */

function showLink() {
  const link = document.getElementById('link');
  const words = { live: 'Live', lost: 'No connection', idle: 'Connecting' };
  const tone = live.state.tone === 'live' && !live.state.bridge ? 'bridge' : live.state.tone;
  link.dataset.tone = tone;
  write(link.lastChild, tone === 'bridge' ? 'Bridge away' : words[tone]);
  const banner = document.getElementById('banner');
  if (tone === 'lost') {
    banner.replaceChildren(
      notice(
        'warn',
        h('strong', {}, `The update server has not answered since ${clock(live.state.since)}.`),
        ' What you see is how things stood then. This page tries again by itself; updates go on without it. ',
        h('button', { type: 'button', onclick: () => live.hurry() }, 'Try now')
      )
    );
  } else if (tone === 'bridge') {
    banner.replaceChildren(
      notice(
        'warn',
        h('strong', {}, 'The update server does not reach the bridge.'),
        ' Devices are shown as they were last known, and cannot be called or updated. Check that mup-bridge runs.'
      )
    );
  } else {
    banner.replaceChildren();
  }
}

/* A stream says only that it was denied: the session may have ended, or there are too many. */
async function lookAtSession() {
  try {
    if (me && (await session()) === null) {
      askToLogIn(true);
    }
  } catch {
    // The server is away; the stream will tell when it is back.
  }
}

/* ---- who is logged in ---- */

async function enter(found) {
  me = found;
  document.getElementById('top').hidden = false;
  write(document.getElementById('who'), me.user);
  live.open();
  showLink();
  // What happens between an answer and the beginning of the stream would be told by neither.
  await live.begun(stream_ms);
  await show();
}

function askToLogIn(wasLoggedIn) {
  if (!me && wasLoggedIn) {
    return;
  }
  leave();
  me = null;
  live.close();
  document.getElementById('top').hidden = true;
  document.getElementById('banner').replaceChildren();
  document.title = 'Log in · MUP';
  host.replaceChildren(logInView(enter, wasLoggedIn));
  host.querySelector('input').focus();
}

async function leaveForGood() {
  try {
    await logOut();
  } catch {
    // Then the session ends by itself; this page forgets it now.
  }
  tabs.postMessage('logged out');
  askToLogIn(false);
}

async function begin() {
  live.open(); // at the same time as the question who is logged in: mostly somebody is
  try {
    const found = await session();
    if (found) {
      enter(found);
    } else {
      askToLogIn(false);
    }
  } catch (error) {
    live.close();
    showProblem(error, begin);
  }
}

whenSessionIsLost(() => askToLogIn(true));
live.on('link', showLink);
live.on('denied', lookAtSession);
tabs.addEventListener('message', lookAtSession);
live.on('again', () => current?.again?.());
window.addEventListener('hashchange', () => show());
window.addEventListener('online', () => live.hurry());
document.getElementById('log-out').addEventListener('click', leaveForGood);
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  host.focus();
});
begin();
