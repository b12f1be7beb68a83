/* Fields made from YANG: each input of an RPC as something that a person can fill in, checked here as
 * its type says before anything is sent. The bridge checks again. */
import { h } from './dom.mjs';

export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

let made = 0;

/* ---- what a type takes, in words and as a check ---- */

const rangeWords = (ranges, what) =>
  ranges
    .map(({ min, max }) => (min === max ? `${min}` : max === null ? `${min} or more` : `${min} to ${max}`))
    .join(', or ') + what;

function hint(input) {
  const parts = [input.description];
  if (input.type === 'integer' || input.type === 'decimal') {
    parts.push(
      input.range.length > 0
        ? rangeWords(input.range, input.units ? ` ${input.units}` : '')
        : input.type === 'integer'
          ? 'a whole number'
          : 'a number'
    );
  } else if (input.type === 'binary') {
    parts.push(
      `bytes as hexadecimal, such as 0a ff${input.length.length > 0 ? `; ${rangeWords(input.length, ' bytes')}` : ''}`
    );
  } else if (input.type === 'string' && input.length.length > 0) {
    parts.push(rangeWords(input.length, ' characters'));
  }
  if (input.default !== null) {
    parts.push(`${input.default} unless told`);
  } else if (!input.mandatory && input.type !== 'structure') {
    parts.push('may be left empty');
  }
  return parts.filter(Boolean).join(' · ');
}

/** a <= b for decimal numbers as texts, exactly: 64 bits are more than a JavaScript number holds. */
function isAtMost(a, b) {
  const scaled = [a, b].map((text) => text.split('.'));
  const digits = Math.max(...scaled.map(([, fraction = '']) => fraction.length));
  const [x, y] = scaled.map(([whole, fraction = '']) => BigInt(`${whole}${fraction.padEnd(digits, '0')}`));
  return x <= y;
}

function checkNumber(input, text) {
  if (input.type === 'integer' && !/^[+-]?\d{1,20}$/.test(text)) {
    throw new FieldError(input.name, 'Enter a whole number.');
  }
  if (input.type === 'decimal' && !/^[+-]?\d{1,19}(\.\d{1,18})?$/.test(text)) {
    throw new FieldError(input.name, 'Enter a number, such as 2.5.');
  }
  const fraction = text.split('.')[1] ?? '';
  if (input.fraction_digits !== null && fraction.length > input.fraction_digits) {
    throw new FieldError(input.name, `At most ${input.fraction_digits} digits behind the point.`);
  }
  const plain = text.replace(/^\+/, '');
  if (
    input.range.length > 0 &&
    !input.range.some(({ min, max }) => isAtMost(min, plain) && isAtMost(plain, max))
  ) {
    throw new FieldError(input.name, `Enter ${rangeWords(input.range, '')}.`);
  }
  return plain;
}

function checkLength(input, size, what) {
  if (
    input.length.length > 0 &&
    !input.length.some(({ min, max }) => size >= min && (max === null || size <= max))
  ) {
    throw new FieldError(input.name, `${rangeWords(input.length, ` ${what}`)}, not ${size}.`);
  }
}

/** Patterns are XML Schema's; one that this browser cannot read is left to the bridge. */
function matches(pattern, text) {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(text);
  } catch {
    return true;
  }
}

function checkString(input, text) {
  checkLength(input, [...text].length, 'characters');
  const wrong = input.pattern.find((pattern) => !matches(pattern, text));
  if (wrong !== undefined) {
    throw new FieldError(input.name, `This has not the form ${wrong}.`);
  }
  return text;
}

function checkBinary(input, text) {
  const digits = text.replace(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) {
    throw new FieldError(input.name, 'Enter pairs of hexadecimal digits, such as 0a ff.');
  }
  checkLength(input, digits.length / 2, 'bytes');
  return btoa(String.fromCharCode(...(digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))));
}

/* ---- fields: {element, read() -> value or undefined, show(message), name} ---- */

function labelled(input, control, id, help) {
  const wrong = h('p', { class: 'wrong', id: `${id}-wrong`, hidden: true });
  control.id = id;
  control.setAttribute('aria-describedby', `${id}-help ${id}-wrong`);
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, input.name, input.units ? h('small', {}, ` in ${input.units}`) : null),
    control,
    h('p', { class: 'help', id: `${id}-help` }, help),
    wrong
  );
  const show = (message) => {
    wrong.hidden = !message;
    wrong.textContent = message ?? '';
    control.setAttribute('aria-invalid', String(Boolean(message)));
    if (message) {
      control.focus();
    }
  };
  return { element, show };
}

/** A value in text: nothing typed is no value, which only what may be left out takes. */
function textField(input, id, control, check) {
  const { element, show } = labelled(input, control, id, hint(input));
  const read = () => {
    const text = input.type === 'string' ? control.value : control.value.trim();
    if (
      text === '' &&
      (input.type !== 'string' || !input.mandatory || input.length.some(({ min }) => min > 0))
    ) {
      if (input.mandatory) {
        throw new FieldError(input.name, 'This is needed.');
      }
      return undefined;
    }
    return check(input, text);
  };
  return { name: input.name, element, read, show, control };
}

function numberField(input, id) {
  const bounds = input.range.length === 1 ? input.range[0] : {};
  // Not type=number, which hides from us what was typed if it is none.
  const control = h('input', {
    type: 'text',
    inputmode: input.type === 'integer' && !(Number(bounds.min) < 0) ? 'numeric' : 'decimal',
    autocomplete: 'off',
    value: input.default ?? '',
    required: input.mandatory,
  });
  return textField(input, id, control, checkNumber);
}

const stringField = (input, id, check) =>
  textField(
    input,
    id,
    h('input', {
      type: 'text',
      autocomplete: 'off',
      spellcheck: 'false',
      value: input.default ?? '',
      required: input.mandatory,
    }),
    check
  );

function choiceField(input, id) {
  const control = h(
    'select',
    { required: input.mandatory },
    input.mandatory && input.default === null
      ? h('option', { value: '', disabled: true, selected: true }, 'Choose …')
      : null,
    input.mandatory ? null : h('option', { value: '' }, '(left out)'),
    input.enum.map((one) =>
      h(
        'option',
        { value: one.name, selected: one.name === input.default },
        one.description ? `${one.name}: ${one.description}` : one.name
      )
    )
  );
  const { element, show } = labelled(input, control, id, hint(input));
  const read = () => {
    if (control.value === '' && input.mandatory) {
      throw new FieldError(input.name, 'Choose one.');
    }
    return control.value === '' ? undefined : control.value;
  };
  return { name: input.name, element, read, show, control };
}

function switchField(input, id) {
  const control = h(
    'select',
    {},
    input.mandatory ? null : h('option', { value: '' }, '(left out)'),
    h('option', { value: 'true', selected: input.default === 'true' }, 'yes'),
    h('option', { value: 'false', selected: input.default === 'false' }, 'no')
  );
  const { element, show } = labelled(input, control, id, hint(input));
  return {
    name: input.name,
    element,
    show,
    control,
    read: () => (control.value === '' ? undefined : control.value === 'true'),
  };
}

/** Red, green and blue of 0 to 255: also as a colour that one can point at. */
function colourOf(input, fields) {
  const isByte = (part) =>
    part.type === 'integer' &&
    part.range.length === 1 &&
    part.range[0].min === '0' &&
    part.range[0].max === '255';
  const letter = (name) => name.toLowerCase()[0];
  const channels = ['r', 'g', 'b'].map((one) => fields.find((field) => letter(field.name) === one));
  if (fields.length !== 3 || channels.includes(undefined) || !input.parts.every(isByte)) {
    return null;
  }
  const picker = h('input', { type: 'color', 'aria-label': `${input.name}: pick a colour` });
  picker.addEventListener('input', () => {
    picker.value.match(/[0-9a-f]{2}/g).forEach((pair, at) => {
      channels[at].control.value = Number.parseInt(pair, 16);
    });
  });
  const follow = () => {
    const bytes = channels.map((field) => Math.min(255, Math.max(0, Number(field.control.value) || 0)));
    picker.value = `#${bytes.map((one) => Math.floor(one).toString(16).padStart(2, '0')).join('')}`;
  };
  fields.forEach((field) => field.control.addEventListener('input', follow));
  follow();
  return picker;
}

function structureField(input, id) {
  const fields = input.parts.map((part) => makeField(part));
  const picker = colourOf(input, fields);
  const element = h(
    'fieldset',
    { id },
    h('legend', {}, input.name),
    input.description ? h('p', { class: 'help' }, input.description) : null,
    picker,
    h(
      'div',
      { class: 'fields' },
      fields.map((field) => field.element)
    )
  );
  const read = () => {
    const value = {};
    for (const field of fields) {
      const part = readField(field, `${input.name}/`);
      if (part !== undefined) {
        value[field.name] = part;
      }
    }
    return Object.keys(value).length === 0 && !input.mandatory ? undefined : value;
  };
  return { name: input.name, element, read, parts: fields, show: (message) => fields[0]?.show(message) };
}

function makeField(input) {
  const id = `field-${++made}`;
  switch (input.type) {
    case 'integer':
    case 'decimal':
      return numberField(input, id);
    case 'boolean':
      return switchField(input, id);
    case 'enumeration':
      return choiceField(input, id);
    case 'binary':
      return stringField(input, id, checkBinary);
    case 'structure':
      return structureField(input, id);
    default:
      return stringField(input, id, checkString);
  }
}

function readField(field, before = '') {
  try {
    return field.read();
  } catch (error) {
    if (error instanceof FieldError && before && !error.field.includes('/')) {
      error.field = before + error.field;
    }
    throw error;
  }
}

/** All inputs of an RPC. */
export class Fields {
  constructor(inputs) {
    this.fields = inputs.map((input) => makeField(input));
    this.elements = this.fields.map((field) => field.element);
  }

  /** The values by name; throws a FieldError after it was shown. */
  read() {
    const values = {};
    this.clear();
    for (const field of this.fields) {
      try {
        const value = readField(field);
        if (value !== undefined) {
          values[field.name] = value;
        }
      } catch (error) {
        this.show(error.field, error.message);
        throw error;
      }
    }
    return values;
  }

  /** What the bridge said is wrong; false: no such field. */
  show(path, message) {
    const [first, ...rest] = String(path ?? '').split('/');
    let field = this.fields.find((one) => one.name === first);
    for (const part of rest) {
      field = field?.parts?.find((one) => one.name === part) ?? field;
    }
    field?.show(message);
    return Boolean(field);
  }

  clear() {
    const all = (list) => list.forEach((field) => (field.parts ? all(field.parts) : field.show(null)));
    all(this.fields);
  }
}
