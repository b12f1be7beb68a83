/* Numbers, times and identifiers as a person reads them. */

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const number = (value) => plain.format(value);

/** 15 B, 9.73 kB, 1.2 MB; thousands, as on the air. */
export function bytes(count) {
  if (count < 1000) {
    return `${number(count)} B`;
  }
  return count < 1e6 ? `${short.format(count / 1e3)} kB` : `${short.format(count / 1e6)} MB`;
}

/** 17 ms, 3.8 s, 2 min 5 s, 3 h 10 min. */
export function duration(ms) {
  if (ms < 1000) {
    return `${number(Math.max(0, ms))} ms`;
  }
  const seconds = ms / 1000;
  if (seconds < 60) {
    return `${seconds < 10 ? seconds.toFixed(1) : number(seconds)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${number(Math.floor(whole / 3600))} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A time of the server, text or milliseconds, as milliseconds; null when it is none. */
export function moment(value) {
  const ms = typeof value === 'number' ? value : Date.parse(value ?? '');
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

export function ago(value) {
  const ms = moment(value);
  if (ms === null) {
    return 'never';
  }
  const seconds = Math.max(0, (Date.now() - ms) / 1000);
  if (seconds < 10) {
    return 'just now';
  }
  if (seconds < 60) {
    return `${Math.floor(seconds / 10) * 10} s ago`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ago`;
  }
  if (seconds < 86400) {
    return `${Math.floor(seconds / 3600)} h ago`;
  }
  const days = Math.floor(seconds / 86400);
  return days === 1 ? 'yesterday' : `${number(days)} days ago`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const clock = (value) => clockFormat.format(moment(value) ?? 0);
export const day = (value) => (moment(value) === null ? 'never' : dayFormat.format(moment(value)));

/** What another program said, as a sentence among sentences. */
export function sentence(text) {
  const trimmed = String(text ?? '').trim();
  return trimmed === ''
    ? ''
    : trimmed[0].toUpperCase() + trimmed.slice(1) + (/[.!?…:]$/.test(trimmed) ? '' : '.');
}

/** The first characters of a UUID, digest or key id, enough to tell two apart. */
export const brief = (text, size = 8) =>
  String(text).length > size + 1 ? `${String(text).slice(0, size)}…` : String(text);

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
