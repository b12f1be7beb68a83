/* The log-in. */
import { logIn } from './api.mjs';
import { h } from './dom.mjs';
import { sentence } from './format.mjs';
import { notice } from './pieces.mjs';

function words(error) {
  if (error.status === 401) {
    return [
      h('strong', {}, 'User and password do not belong together.'),
      ' Check both; capital letters count.',
    ];
  }
  if (error.status === 429) {
    return [
      h('strong', {}, 'Too many attempts.'),
      ` Wait ${error.retryAfter || 60} s, then try again. Nobody can log in from here, or as this user, until then.`,
    ];
  }
  return [h('strong', {}, sentence(error.message)), ` ${sentence(error.hint)}`];
}

export function logInView(onSession, sessionHasEnded) {
  const user = h('input', {
    id: 'user',
    name: 'user',
    autocomplete: 'username',
    autocapitalize: 'none',
    spellcheck: 'false',
    required: true,
    maxlength: 64,
  });
  const password = h('input', {
    id: 'password',
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    maxlength: 1024,
  });
  const button = h('button', { class: 'primary' }, 'Log in');
  const said = h('div', { role: 'alert' });
  const form = h(
    'form',
    { class: 'log-in', novalidate: true },
    h('img', { src: '/page/mark.svg', alt: '', width: 56, height: 56 }),
    h('h1', {}, 'MUP'),
    h('p', { class: 'soft' }, 'Signed firmware for small devices: see them, use them, update them.'),
    sessionHasEnded ? notice('warn', 'Your session has ended. Log in to go on where you were.') : null,
    h('label', { for: 'user' }, 'User'),
    user,
    h('label', { for: 'password' }, 'Password'),
    password,
    said,
    button,
    h(
      'details',
      {},
      h('summary', {}, 'No password?'),
      h(
        'p',
        {},
        'The first administrator’s password was printed once, when this server was set up. Whoever may log in to the machine can make another: ',
        h('code', {}, 'mup-server --help'),
        ' tells how.'
      )
    )
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const empty = [user, password].find((input) => input.value === '');
    if (empty) {
      said.replaceChildren(notice('bad', `Enter your ${empty === user ? 'user name' : 'password'}.`));
      empty.focus();
      return;
    }
    button.disabled = true;
    try {
      onSession(await logIn(user.value, password.value));
    } catch (error) {
      said.replaceChildren(notice('bad', words(error)));
      password.value = '';
      password.focus();
    } finally {
      button.disabled = false;
    }
  });
  return form;
}
