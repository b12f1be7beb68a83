/* A small live chart of one measured thing: the last value large, the way it came as a line. */
import { h, s, write } from './dom.mjs';
import { clock } from './format.mjs';

const POINTS_MAX = 240;
const WIDTH = 240;
const HEIGHT = 64;
const EDGE = 4; // so that the line's own width is not cut off

const pretty = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });

export class Chart {
  constructor(point) {
    this.unit = point.symbol || point.units;
    this.points = [];
    this.value = h('output', { class: 'value' }, '–');
    this.line = s('path', { class: 'curve' });
    this.area = s('path', { class: 'area' });
    this.least = h('span', {});
    this.most = h('span', {});
    this.from = h('span', {});
    this.until = h('span', {});
    const name = point.description || point.name;
    this.element = h(
      'figure',
      { class: 'chart', 'data-point': point.name },
      h('figcaption', {}, h('b', {}, name), point.description ? h('small', {}, point.name) : null),
      h('p', { class: 'reading' }, this.value, ' ', h('span', { class: 'unit' }, this.unit)),
      h(
        'div',
        { class: 'plot' },
        s(
          'svg',
          { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
          this.area,
          this.line
        ),
        h('span', { class: 'scale', 'aria-hidden': 'true' }, this.most, this.least)
      ),
      h('p', { class: 'times' }, this.from, this.until)
    );
    if (point.value !== null) {
      this.add(point.at, point.value);
    } else {
      write(this.from, 'No value yet: the device sends one when it is time.');
    }
  }

  add(at, text) {
    const ms = typeof at === 'number' ? at : Date.parse(at);
    const number = text.trim() === '' ? NaN : Number(text);
    const last = this.points.at(-1);
    if (last && ms < last.ms) {
      return; // told again
    }
    write(this.value, Number.isFinite(number) ? pretty.format(number) : text);
    write(this.until, clock(ms));
    if (Number.isFinite(number)) {
      if (last?.ms === ms) {
        this.points.pop();
      }
      this.points.push({ ms, number });
      if (this.points.length > POINTS_MAX) {
        this.points.shift();
      }
    }
    this.plan();
  }

  /** Once for each picture of the screen, however many values come. */
  plan() {
    if (!this.isPlanned) {
      this.isPlanned = true;
      requestAnimationFrame(() => {
        this.isPlanned = false;
        this.draw();
      });
    }
  }

  draw() {
    this.element.classList.toggle('flat', this.points.length < 2);
    write(
      this.from,
      this.points.length < 2 ? 'The line begins with the next value.' : clock(this.points[0].ms)
    );
    if (this.points.length < 2) {
      return;
    }
    const numbers = this.points.map((point) => point.number);
    const least = Math.min(...numbers);
    const most = Math.max(...numbers);
    const first = this.points[0].ms;
    const span_ms = Math.max(1, this.points.at(-1).ms - first);
    const height = most - least || 1;
    const places = this.points.map(({ ms, number }) => {
      const x = ((ms - first) / span_ms) * WIDTH;
      const y =
        most === least ? HEIGHT / 2 : HEIGHT - EDGE - ((number - least) / height) * (HEIGHT - 2 * EDGE);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    this.line.setAttribute('d', `M${places.join('L')}`);
    this.area.setAttribute('d', `M0 ${HEIGHT}L${places.join('L')}L${WIDTH} ${HEIGHT}Z`);
    write(this.least, most === least ? '' : pretty.format(least));
    write(this.most, most === least ? '' : pretty.format(most));
  }
}
