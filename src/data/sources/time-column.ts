/**
 * What the times of a column mean, told by all of them together: 1709251200000000 is no time in milliseconds, and 03/01/2024
 * may be of January or of March. What is understood is said aloud.
 */
import { CourierError } from '../../errors.ts';
import { oneLine } from '../../text.ts';
import { nameInSql } from '../duckdb.ts';
import { parseTime } from './time.ts';
import { isMissing } from './words.ts';

/** How the texts of a column are read. */
export interface TimeReading {
  /** Such as `microseconds since 1970`. */
  readonly meaning: string;
  /** Milliseconds since 1970-01-01 UTC; undefined for what is no such time, or lies before 1990 or after tomorrow. */
  toMilliseconds(text: string): number | undefined;
}

type Format = TimeReading;

const day = 86_400_000;
const earliest = Date.UTC(1990, 0, 1);

/** Logs are of the past: a day for clocks that are wrong, and for zones. */
function plausible(time: number | undefined, now: number): time is number {
  return time !== undefined && time >= earliest && time <= now + day;
}

const plainNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

function unit(meaning: string, milliseconds: number): Format {
  return {
    meaning: `${meaning} since 1970`,
    toMilliseconds: (text) => (plainNumber.test(text) ? Math.floor(Number(text) * milliseconds) : undefined),
  };
}

/** Digits of a date and a time, such as 2024010213 for the hour after one on 2 January 2024. */
function stamp(meaning: string, pattern: RegExp): Format {
  return {
    meaning: `stamps ${meaning}`,
    toMilliseconds(text) {
      const found = pattern.exec(text.replace(/\.0+$/, ''))?.groups;
      if (found === undefined) return undefined;
      const { year = '', month = '', date = '', hour = '0', minute = '0', second = '0' } = found;
      return momentOf(year.length === 2 ? `20${year}` : year, month, date, hour, minute, second);
    },
  };
}

/** A date with slashes or dots, then maybe a time of day, then maybe AM or PM. */
function written(meaning: string, order: 'ymd' | 'mdy' | 'dmy', separator: string): Format {
  const parts = { y: '(?<year>\\d{4})', m: '(?<month>\\d{1,2})', d: '(?<date>\\d{1,2})' } as const;
  // Whoever writes AM and PM writes the month first.
  const half = order === 'mdy' ? '(?: ?(?<half>[AP]M))?' : '';
  const date = [...order].map((part) => parts[part as keyof typeof parts]).join(separator);
  const pattern = new RegExp(
    `^${date}(?:[ T](?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:\\.\\d+)?)?${half})?$`,
    'i',
  );
  return {
    meaning,
    toMilliseconds(text) {
      const found = pattern.exec(text)?.groups;
      if (found === undefined) return undefined;
      const { year = '', month = '', date = '', hour = '0', minute = '0', second = '0', half } = found;
      const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (/p/i.test(half) ? 12 : 0);
      if (half !== undefined && (Number(hour) < 1 || Number(hour) > 12)) return undefined;
      return momentOf(year, month, date, `${hours}`, minute, second);
    },
  };
}

function momentOf(
  year: string,
  month: string,
  date: string,
  hour: string,
  minute: string,
  second: string,
): number | undefined {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const midnight = parseTime(`${year}-${month.padStart(2, '0')}-${date.padStart(2, '0')}`);
  if (midnight === undefined) return undefined;
  return midnight + 1000 * (3600 * Number(hour) + 60 * Number(minute) + Number(second));
}

/** A text in ISO 8601, which may also end in UTC. */
const iso: Format = {
  meaning: 'dates and times in ISO 8601, UTC where they name no offset',
  toMilliseconds(text) {
    const bare = text.replace(/ ?(UTC|GMT)$/i, 'Z');
    return plainNumber.test(bare) ? undefined : parseTime(bare);
  },
};

const formats: readonly Format[] = [
  unit('seconds', 1000),
  unit('milliseconds', 1),
  unit('microseconds', 1e-3),
  unit('nanoseconds', 1e-6),
  stamp('yyyymmdd', /^(?<year>\d{4})(?<month>\d\d)(?<date>\d\d)$/),
  stamp('yyyymmddHH', /^(?<year>\d{4})(?<month>\d\d)(?<date>\d\d)(?<hour>\d\d)$/),
  stamp('yyyymmddHHMM', /^(?<year>\d{4})(?<month>\d\d)(?<date>\d\d)(?<hour>\d\d)(?<minute>\d\d)$/),
  stamp(
    'yyyymmddHHMMSS',
    /^(?<year>\d{4})(?<month>\d\d)(?<date>\d\d)(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)$/,
  ),
  stamp('yymmddHH', /^(?<year>\d\d)(?<month>\d\d)(?<date>\d\d)(?<hour>\d\d)$/),
  iso,
  written('dates yyyy/mm/dd', 'ymd', '/'),
  written('dates mm/dd/yyyy', 'mdy', '/'),
  written('dates dd/mm/yyyy', 'dmy', '/'),
  written('dates dd.mm.yyyy', 'dmy', '\\.'),
];

/** Share of the times that a format has to read; the rest are rows that cannot be used. */
const enough = 0.5;

/**
 * Chooses the format by which the most texts are times from 1990 to tomorrow.
 * @param name of the column, for messages
 * @param now milliseconds
 * @throws CourierError VALUE_INVALID where no format, or more than one, reads the most and half of them at least
 */
export function understandTimes(
  name: string,
  texts: readonly (string | null)[],
  now: number = Date.now(),
): TimeReading {
  const given = texts.filter((text) => text !== null && !isMissing(text)).map((text) => text!.trim());
  const shares = formats.map((format) => {
    const read = given.filter((text) => plausible(format.toMilliseconds(text), now)).length;
    return { format, share: given.length === 0 ? 0 : read / given.length };
  });
  const best = Math.max(...shares.map(({ share }) => share));
  if (best < enough) throw notUnderstood(name, given);
  const [first, second] = shares.filter(({ share }) => share === best).map(({ format }) => format);
  if (first === undefined) throw notUnderstood(name, given);
  if (second !== undefined && !agree(first, second, given)) throw ambiguous(name, first, second, given);
  return {
    meaning: first.meaning,
    toMilliseconds(text) {
      const time = first.toMilliseconds(text.trim());
      return plausible(time, now) ? time : undefined;
    },
  };
}

function agree(one: Format, other: Format, texts: readonly string[]): boolean {
  return texts.every((text) => one.toMilliseconds(text) === other.toMilliseconds(text));
}

function notUnderstood(name: string, given: readonly string[]): CourierError {
  const examples = [...new Set(given)].slice(0, 3).map((text) => oneLine(text, 40));
  const numbers = given.length > 0 && given.every((text) => plainNumber.test(text));
  const remedy = numbers
    ? `If they count from another moment, give an expression in milliseconds since 1970, such as "1465876799998 + ${nameInSql(name)}::BIGINT".`
    : `Give an SQL expression that makes a time of them, such as "strptime(${nameInSql(name)}, '%d-%b-%Y %H:%M')".`;
  return new CourierError(
    'VALUE_INVALID',
    `\`${name}\` holds no times that are understood (${examples.join(', ') || 'all of it is empty'}): known are seconds, milli-, micro- and nanoseconds since 1970, yyyymmdd with or without HH, MM, SS, yymmddHH, ISO 8601, yyyy/mm/dd, mm/dd/yyyy, dd/mm/yyyy and dd.mm.yyyy with or without a time of day, of 1990 to tomorrow.`,
    remedy,
  );
}

function ambiguous(name: string, one: Format, other: Format, given: readonly string[]): CourierError {
  const example = given.find((text) => one.toMilliseconds(text) !== other.toMilliseconds(text)) ?? '';
  return new CourierError(
    'VALUE_INVALID',
    `\`${name}\` can be read as ${one.meaning} and as ${other.meaning}, such as ${oneLine(example, 40)}.`,
    `Say which by an expression: "strptime(${nameInSql(name)}, '%m/%d/%Y')" or "strptime(${nameInSql(name)}, '%d/%m/%Y')".`,
  );
}
