/* A list of any length of which only the rows in sight exist.
 *
 * Rows are asked for in pages as they come into sight, and kept until the question changes. All rows
 * are equally high, so the place of each is known before it is. */
import { h } from './dom.mjs';

const PAGE = 100; // rows in one question
const BEYOND = 8; // rows made above and below those in sight, so that scrolling finds them

export class Rows {
  /** ask(offset, limit) -> {list, matching}; make() -> element; fill(element, item or null, index) */
  constructor({ ask, make, fill, key, onCount, onError }) {
    Object.assign(this, { ask, make, fill, key, onCount, onError });
    this.body = h('div', { class: 'rows', role: 'rowgroup' });
    this.items = [];
    this.places = new Map(); // key -> index
    this.asked = new Map(); // page -> round
    this.shown = new Map(); // index -> element
    this.spare = [];
    this.count = 0;
    this.round = 0; // answers to an earlier question are not taken
    this.height = 0;
  }

  /** The question has changed: forget all rows. Ends when the first are there. `first`: the answer
   * for them, if it was asked for already. */
  async restart(first = null) {
    this.round++;
    this.items = [];
    this.places.clear();
    this.asked.clear();
    await this.load(0, first);
  }

  /** The first rows, for restart(). */
  askFirst() {
    return this.ask(0, PAGE);
  }

  /** Ask again for what is in sight; the rows stay until the answer is there. */
  async refresh() {
    const [first, last] = this.sight();
    this.round++;
    this.asked.clear();
    const pages = new Set([Math.floor(first / PAGE), Math.floor(Math.max(first, last - 1) / PAGE)]);
    await Promise.all([...pages].map((page) => this.load(page)));
  }

  async load(page, answer = null) {
    const { round } = this;
    if (this.asked.get(page) === round) {
      return;
    }
    this.asked.set(page, round);
    try {
      const { list, matching } = await (answer ?? this.ask(page * PAGE, PAGE));
      if (round === this.round) {
        this.take(page * PAGE, list, matching);
      }
    } catch (error) {
      this.asked.delete(page);
      if (round === this.round && error.name !== 'AbortError') {
        this.onError(error);
      }
    }
  }

  take(offset, list, matching) {
    if (matching < this.count) {
      this.items.length = Math.min(this.items.length, matching);
    }
    this.count = matching;
    list.forEach((item, at) => {
      this.items[offset + at] = item;
      this.places.set(this.key(item), offset + at);
    });
    this.onCount(matching);
    this.measure();
    this.draw(true);
  }

  /** News of one item; false: it is not among those that were asked for. */
  put(item) {
    const index = this.places.get(this.key(item));
    if (index === undefined || !this.items[index] || this.key(this.items[index]) !== this.key(item)) {
      return false;
    }
    this.items[index] = item;
    this.touch(index);
    return true;
  }

  find(key) {
    const index = this.places.get(key);
    return index === undefined ? null : this.items[index];
  }

  /** Something that a row shows has changed beside its item. */
  touchKey(key) {
    const index = this.places.get(key);
    if (index !== undefined) {
      this.touch(index);
    }
  }

  touch(index) {
    const element = this.shown.get(index);
    if (element) {
      this.fill(element, this.items[index] ?? null, index);
    }
  }

  measure() {
    if (this.count > 0) {
      const probe = this.shown.values().next().value ?? this.body.appendChild(this.make());
      this.height = probe.getBoundingClientRect().height || 56;
      if (![...this.shown.values()].includes(probe)) {
        probe.remove();
      }
    }
    this.body.style.height = `${this.count * this.height}px`;
  }

  sight() {
    if (this.count === 0 || this.height === 0) {
      return [0, 0];
    }
    const top = this.body.getBoundingClientRect().top;
    const first = Math.floor(-top / this.height) - BEYOND;
    const last = Math.ceil((window.innerHeight - top) / this.height) + BEYOND;
    return [Math.max(0, Math.min(first, this.count - 1)), Math.max(0, Math.min(this.count, last))];
  }

  /** Make what is in sight, let go of what is not; `all`: also fill those that stay. */
  draw(all = false) {
    const [first, last] = this.sight();
    for (const [index, element] of this.shown) {
      if (index < first || index >= last) {
        this.shown.delete(index);
        this.spare.push(element);
      }
    }
    for (let index = first; index < last; index++) {
      let element = this.shown.get(index);
      const isNew = !element;
      if (isNew) {
        element = this.spare.pop() ?? this.make();
        element.style.transform = `translateY(${index * this.height}px)`;
        element.setAttribute('aria-rowindex', index + 2);
        this.shown.set(index, element);
        this.body.append(element);
      }
      if (isNew || all) {
        this.fill(element, this.items[index] ?? null, index);
      }
      if (!this.items[index]) {
        this.load(Math.floor(index / PAGE));
      }
    }
    this.spare.splice(0).forEach((element) => element.remove());
  }

  /** The height of a row depends on the width of the window. */
  resize() {
    const before = this.height;
    this.measure();
    if (before !== this.height) {
      for (const [index, element] of this.shown) {
        element.style.transform = `translateY(${index * this.height}px)`;
      }
    }
    this.draw();
  }

  focus(index, selector) {
    if (index < 0 || index >= this.count) {
      return;
    }
    const top = this.body.getBoundingClientRect().top + index * this.height;
    if (top < 140) {
      window.scrollBy(0, top - 140);
    } else if (top + this.height > window.innerHeight - 20) {
      window.scrollBy(0, top + this.height - window.innerHeight + 20);
    }
    this.draw();
    this.shown.get(index)?.querySelector(selector)?.focus({ preventScroll: true });
  }

  indexOf(element) {
    return Number(element.getAttribute('aria-rowindex')) - 2;
  }
}
