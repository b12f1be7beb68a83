/* Questions to the update server. Each answers with JSON or throws an ApiError, which always says
 * what went wrong and what to do. */

let csrf = '';
let onSessionLost = () => {};

export class ApiError extends Error {
  constructor(status, error, retryAfter) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.hint = error.hint ?? '';
    this.details = error;
    this.retryAfter = retryAfter;
  }
}

const away = () =>
  new ApiError(0, {
    code: 'no-connection',
    message: 'The update server does not answer.',
    hint: 'Check that mup-server runs and that this computer reaches it. Updates that are under way go on without this page.',
  });

async function errorOf(response) {
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  try {
    const { error } = await response.json();
    return new ApiError(response.status, error, retryAfter);
  } catch {
    return new ApiError(
      response.status,
      {
        code: 'no-json',
        message: `The server answered ${response.status} and did not say why.`,
        hint: 'Try again; if it stays, look into the log of mup-server.',
      },
      retryAfter
    );
  }
}

async function ask(method, path, { body, signal, text } = {}) {
  const headers = {};
  if (method !== 'GET') {
    headers['X-CSRF-Token'] = csrf;
  }
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
  }
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    throw error.name === 'AbortError' ? error : away();
  }
  if (!response.ok) {
    const error = await errorOf(response);
    if (error.status === 401 && path !== '/session') {
      onSessionLost();
    }
    throw error;
  }
  if (response.status === 204) {
    return null;
  }
  return text ? response.text() : response.json();
}

export const get = (path, signal) => ask('GET', path, { signal });
export const getText = (path, signal) => ask('GET', path, { signal, text: true });
export const post = (path, body, signal) => ask('POST', path, { body, signal });

/** name=value&...; nothing for what is empty. */
export function query(values) {
  const pairs = Object.entries(values).filter(
    ([, value]) => value !== '' && value !== null && value !== undefined
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

/* ---- the session ---- */

function take(session) {
  csrf = session.csrf;
  return session;
}

/** Who is logged in; null: nobody. */
export async function session() {
  try {
    return take(await get('/session'));
  } catch (error) {
    if (error.status === 401) {
      return null;
    }
    throw error;
  }
}

export const logIn = async (user, password) => take(await post('/session', { user, password }));

export async function logOut() {
  await ask('DELETE', '/session');
  csrf = '';
}

export function whenSessionIsLost(call) {
  onSessionLost = call;
}
