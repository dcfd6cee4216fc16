/** Times as logs write them, in milliseconds since 1970-01-01 UTC. */

const isoTime =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;
const basicDate = /^(19|20)\d{6}$/;
const plainNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** Numbers below are seconds (until the year 5138), from here on milliseconds (since 1973). */
const firstMilliseconds = 1e11;

/** The largest time that a Date can hold. */
const maxTime = 8.64e15;

/**
 * Parses `2020-01-31`, `20200131`, ISO 8601 date and time (UTC unless it names an offset), or seconds or
 * milliseconds since 1970.
 * @returns undefined for anything else, an impossible date included
 */
export function parseTime(text: string): number | undefined {
  const trimmed = text.trim();
  if (basicDate.test(trimmed)) {
    return dateTime(trimmed.slice(0, 4), trimmed.slice(4, 6), trimmed.slice(6, 8));
  }
  if (plainNumber.test(trimmed)) return epoch(Number(trimmed));
  const match = isoTime.exec(trimmed);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '0'] = match;
  const midnight = dateTime(year, month, day);
  const offset = offsetMinutes(match[8]);
  if (midnight === undefined || offset === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const minutes = Number(hour) * 60 + Number(minute) - offset;
  return midnight + minutes * 60_000 + Number(second) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000);
}

function epoch(value: number): number | undefined {
  const time = Math.abs(value) < firstMilliseconds ? value * 1000 : value;
  return Math.abs(time) <= maxTime ? time : undefined;
}

/** Midnight UTC of a date that exists. */
function dateTime(year: string, month: string, day: string): number | undefined {
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(time);
  const same = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return same && date.getUTCFullYear() === Number(year) ? time : undefined;
}

function offsetMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2) || '0');
  if (hours > 18 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
