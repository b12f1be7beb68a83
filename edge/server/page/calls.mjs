/* What a device can be told to do: a form for each RPC, and what became of each call. */
import { post } from './api.mjs';
import { h } from './dom.mjs';
import { duration, plural, sentence } from './format.mjs';
import { FieldError, Fields } from './form.mjs';
import { facts, notice } from './pieces.mjs';
import { answer } from './words.mjs';

function fault(error) {
  if (error.status === 403) {
    return {
      tone: 'bad',
      title: 'You may not do that.',
      text: sentence(error.message),
      todo: sentence(error.hint),
    };
  }
  if (error.status === 504) {
    return {
      tone: 'bad',
      title: 'The device did not answer.',
      text: sentence(error.message),
      todo: 'Whether it did what it was asked is not known. Check that it is online, then ask again.',
    };
  }
  return { tone: 'bad', title: sentence(error.message), text: '', todo: sentence(error.hint) };
}

function resultLine({ tone, title, text, todo }, more) {
  return h(
    'div',
    { class: 'result', 'data-tone': tone },
    h('strong', {}, sentence(title)),
    ' ',
    text,
    todo ? ` ${todo}` : '',
    more ? h('small', {}, more) : null
  );
}

function valueOf(result) {
  if (result.value_text) {
    return h('p', {}, 'It said: ', h('code', {}, result.value_text));
  }
  return result.value ? h('p', {}, 'It sent bytes: ', h('code', {}, result.value)) : null;
}

function rpcForm(context, device, rpc) {
  const fields = new Fields(rpc.inputs);
  const said = h('div', { role: 'status', class: 'said' });
  const title = rpc.description || rpc.name;
  const button = h('button', { class: rpc.inputs.length > 0 ? 'primary' : '' }, 'Run');
  const form = h(
    'form',
    { class: 'call', novalidate: true, 'data-rpc': rpc.name, 'aria-label': title },
    h(
      'div',
      { class: 'call-head' },
      h('div', {}, h('h3', {}, title), rpc.description ? h('small', {}, h('code', {}, rpc.name)) : null),
      rpc.inputs.length === 0 ? button : null
    ),
    rpc.inputs.length > 0
      ? h(
          'div',
          {
            class: rpc.inputs.length === 1 && rpc.inputs[0].type !== 'structure' ? 'fields single' : 'fields',
          },
          fields.elements,
          button
        )
      : null,
    said,
    rpc.states.length > 0
      ? h(
          'details',
          {},
          h('summary', {}, 'How it may end'),
          facts(
            rpc.states.map((state) => [h('code', {}, state.name), answer(state.name, state.description).text])
          )
        )
      : null
  );
  button.setAttribute('aria-label', `Run: ${title}`);
  button.disabled = !context.mayAct;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    said.replaceChildren();
    let input;
    try {
      input = fields.read();
    } catch (error) {
      if (!(error instanceof FieldError)) {
        throw error;
      }
      return;
    }
    button.disabled = true;
    form.setAttribute('aria-busy', 'true');
    try {
      const result = await post(
        `/devices/${encodeURIComponent(device.uuid)}/rpcs/${encodeURIComponent(rpc.name)}`,
        { input }
      );
      const words = answer(result.state, result.meaning, rpc.states);
      said.replaceChildren(
        resultLine(words, `the device answered ${result.state} after ${duration(result.ms)}`),
        valueOf(result) ?? ''
      );
    } catch (error) {
      if (!error.details?.field || !fields.show(error.details.field, sentence(error.message))) {
        said.replaceChildren(resultLine(fault(error)));
      }
    } finally {
      button.disabled = !context.mayAct;
      form.removeAttribute('aria-busy');
    }
  });
  return form;
}

/** All that it can be told to do. */
export function callsPart(context, device) {
  const open = device.rpcs.filter((rpc) => !rpc.reserved);
  const reserved = device.rpcs.filter((rpc) => rpc.reserved);
  if (device.form_error) {
    return notice('bad', h('strong', {}, 'What it can do cannot be shown.'), ` ${device.form_error}`);
  }
  return [
    context.mayAct
      ? null
      : notice('idle', 'You may look, but not call. Ask an administrator for the role of an operator.'),
    open.length === 0
      ? h(
          'p',
          { class: 'soft' },
          device.module
            ? 'Its description names nothing that it can be told to do.'
            : 'Its description is not known yet.'
        )
      : null,
    h(
      'div',
      { class: 'calls' },
      open.map((rpc) => rpcForm(context, device, rpc))
    ),
    reserved.length === 0
      ? null
      : h(
          'details',
          { class: 'soft' },
          h('summary', {}, `${plural(reserved.length, 'call')} of an update`),
          h('p', {}, 'Only the update server may make these; it does when you start an update.'),
          h(
            'ul',
            {},
            reserved.map((rpc) => h('li', {}, rpc.description || rpc.name, ' ', h('code', {}, rpc.name)))
          )
        ),
  ];
}
