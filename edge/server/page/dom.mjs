/* Elements of the page. Text reaches the page as text nodes and attributes only: there is no way
 * from here to markup, whatever a device, a description or a release has written. */

function set(element, name, value) {
  if (value === null || value === undefined || value === false) {
    return;
  }
  if (name.startsWith('on')) {
    element.addEventListener(name.slice(2), value);
  } else if (name === 'style') {
    // Not the attribute, which the content security policy forbids.
    for (const [property, text] of Object.entries(value)) {
      element.style.setProperty(property, text);
    }
  } else {
    element.setAttribute(name, value === true ? '' : String(value));
  }
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    set(element, name, value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
  );
  return element;
}

/** h('p', {class: 'soft'}, 'text', element, null, [more]) */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/** Set what is written, only if it changed: screen readers hear each change of a live region. */
export function write(element, text) {
  if (element.textContent !== String(text)) {
    element.textContent = text;
  }
}

/** For screen readers: what has just happened. */
export function say(text) {
  write(document.getElementById('said'), text);
}

/** At most one call in `pause_ms`, the last one always. */
export function seldom(pause_ms, call) {
  let timer = 0;
  let last = 0;
  return (...values) => {
    clearTimeout(timer);
    const wait = last + pause_ms - performance.now();
    const run = () => {
      last = performance.now();
      call(...values);
    };
    if (wait <= 0) {
      run();
    } else {
      timer = setTimeout(run, wait);
    }
  };
}
