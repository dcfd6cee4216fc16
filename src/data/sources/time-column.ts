/**
 * What the times of a column mean, told by all of them together: 1709251200000000 is no time in milliseconds, and 03/01/2024
 * may be of January or of March. What is understood is said aloud. The reading itself is SQL, for columns of any length.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError } from '../../errors.ts';
import { oneLine } from '../../text.ts';
import { literal, nameInSql } from '../duckdb/duckdb.ts';
import { isMissingSql } from './words.ts';

/** How the texts of a column are read. */
export interface TimeReading {
  /** Such as `microseconds since 1970`. */
  readonly meaning: string;
  /**
   * SQL for the milliseconds since 1970-01-01 UTC of a text, as BIGINT; NULL for what is no such time, or lies before 1990 or
   * after tomorrow.
   */
  milliseconds(text: string): string;
}

/** A way to write times: SQL for the milliseconds of a trimmed text, of any year. */
interface Format {
  readonly meaning: string;
  milliseconds(text: string): string;
}

const day = 86_400_000;
const earliest = Date.UTC(1990, 0, 1);

const plainNumber = String.raw`[+-]?\d+(\.\d+)?([eE][+-]?\d+)?`;

function matches(text: string, pattern: string): string {
  return `regexp_full_match(${text}, ${literal(pattern)})`;
}

function unit(meaning: string, milliseconds: string): Format {
  return {
    meaning: `${meaning} since 1970`,
    milliseconds: (text) =>
      `CASE WHEN ${matches(text, plainNumber)} THEN floor(try_cast(${text} AS DOUBLE) * ${milliseconds}) END`,
  };
}

/** Digits of a date and a time, such as 2024010213 for the hour after one on 2 January 2024. */
function stamp(meaning: string, format: string, digits: number): Format {
  return {
    meaning: `stamps ${meaning}`,
    milliseconds(text) {
      const whole = `regexp_replace(${text}, '\\.0+$', '')`;
      // An hour of two digits begins where the date ends: strptime itself would take one from it.
      return `CASE WHEN ${matches(text, String.raw`\d{${digits}}(\.0+)?`)}
        THEN epoch_ms(try_strptime(${whole}, ${literal(format)})) END`;
    },
  };
}

/** A date with slashes or dots, then maybe a time of day, then maybe AM or PM. */
function written(meaning: string, date: string, pattern: string): Format {
  // Whoever writes AM and PM writes the month first.
  const half = date.startsWith('%m');
  const times = ['', ' %H:%M', ' %H:%M:%S', ' %H:%M:%S.%f'];
  const halves = half ? [' %I:%M %p', ' %I:%M:%S %p'] : [];
  const list = [...times, ...halves].map((time) => literal(`${date}${time}`)).join(', ');
  const clock = String.raw`\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?${half ? ' ?([aApP][mM])?' : ''}`;
  return {
    meaning,
    milliseconds(text) {
      const spaced = `regexp_replace(replace(${text}, 'T', ' '), ' ?([aApP][mM])$', ' \\1')`;
      return `CASE WHEN ${matches(text, `${pattern}([ T]${clock})?`)}
        THEN epoch_ms(try_strptime(${half ? spaced : `replace(${text}, 'T', ' ')`}, [${list}])) END`;
    },
  };
}

const isoPattern =
  String.raw`\d{4}-\d{2}-\d{2}([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?` +
  String.raw`\s*([zZ]|UTC|GMT|[+-]\d{2}(:?\d{2})?)?)?`;

/** A text in ISO 8601, which may also end in UTC. */
const iso: Format = {
  meaning: 'dates and times in ISO 8601, UTC where they name no offset',
  milliseconds(text) {
    // As DuckDB reads it: Z for UTC, no blank before an offset, a colon inside it.
    const plain = [
      [',', '.'],
      ['\\s*(UTC|GMT)$', 'Z'],
      ['\\s+([zZ+-])', '\\1'],
      ['(:[0-9.]+[+-]\\d{2})(\\d{2})$', '\\1:\\2'],
    ].reduce((sql, [from = '', to = '']) => `regexp_replace(${sql}, ${literal(from)}, ${literal(to)})`, text);
    return `CASE WHEN ${matches(text, isoPattern)}
      THEN epoch_ms(coalesce(try_cast(${text} AS TIMESTAMPTZ), try_cast(${plain} AS TIMESTAMPTZ))) END`;
  },
};

const date = { year: String.raw`\d{4}`, other: String.raw`\d{1,2}` };

const formats: readonly Format[] = [
  unit('seconds', '1000'),
  unit('milliseconds', '1'),
  unit('microseconds', '1e-3'),
  unit('nanoseconds', '1e-6'),
  stamp('yyyymmdd', '%Y%m%d', 8),
  stamp('yyyymmddHH', '%Y%m%d%H', 10),
  stamp('yyyymmddHHMM', '%Y%m%d%H%M', 12),
  stamp('yyyymmddHHMMSS', '%Y%m%d%H%M%S', 14),
  stamp('yymmddHH', '%y%m%d%H', 8),
  iso,
  written('dates yyyy/mm/dd', '%Y/%m/%d', `${date.year}/${date.other}/${date.other}`),
  written('dates mm/dd/yyyy', '%m/%d/%Y', `${date.other}/${date.other}/${date.year}`),
  written('dates dd/mm/yyyy', '%d/%m/%Y', `${date.other}/${date.other}/${date.year}`),
  written('dates dd.mm.yyyy', '%d.%m.%Y', `${date.other}\\.${date.other}\\.${date.year}`),
];

/** Share of the times that a format has to read; the rest are rows that cannot be used. */
const enough = 0.5;

/** Rows by which formats that read nothing are told from those that are tried on the whole column. */
const sampled = 10_000;

/** A column of texts in a table of a connection. */
export interface TimeColumn {
  readonly connection: DuckDBConnection;
  /** What stands after FROM; it has row numbers, `rowid`. */
  readonly table: string;
  /** SQL of the column. */
  readonly column: string;
  /** What it is called in messages. */
  readonly name: string;
}

/**
 * Chooses the format by which the most texts are times from 1990 to tomorrow.
 * @param now milliseconds
 * @throws CourierError VALUE_INVALID where no format, or more than one, reads the most and half of them at least
 */
export async function understandTimes(source: TimeColumn, now: number = Date.now()): Promise<TimeReading> {
  const { connection, table, column, name } = source;
  const text = `trim(${column})`;
  const read = (format: Format) => plausible(format.milliseconds(text), now);
  const countOf = async (tried: readonly Format[], from: string) => {
    const counts = tried.map((format) => `count(${read(format)})`);
    const sql = `SELECT count(*) FILTER (NOT ${isMissingSql(column)}), ${counts.join(', ')} FROM ${from}`;
    const [row = []] = (await connection.runAndReadAll(sql)).getRows();
    const [given = 0, ...found] = row.map(Number);
    return { given, shares: found.map((count) => (given === 0 ? 0 : count / given)) };
  };
  // Of small tables the whole; of large ones some rows out of all parts.
  const some = `(SELECT ${column} FROM ${table} WHERE rowid % greatest(1, (SELECT count(*) FROM ${table}) // ${sampled}) = 0)`;
  const { shares: first } = await countOf(formats, some);
  const promising = formats.filter((_, place) => first[place]! > 0);
  const tried = promising.length === 0 ? formats : promising;
  const { shares } = await countOf(tried, table);
  const best = Math.max(...shares);
  const [one, other] = tried.filter((_, place) => shares[place] === best && best >= enough);
  if (one === undefined) throw await notUnderstood(source);
  if (other !== undefined) {
    const differ = `${read(one)} IS DISTINCT FROM ${read(other)}`;
    const [example] = await textsOf(source, differ, 1);
    if (example !== undefined) throw ambiguous(name, one, other, example);
  }
  return {
    meaning: one.meaning,
    milliseconds: (written_) => plausible(one.milliseconds(`trim(${written_})`), now),
  };
}

/** SQL for a time of logs, as BIGINT: logs are of the past, with a day for clocks that are wrong, and for zones. */
function plausible(milliseconds: string, now: number): string {
  return `CASE WHEN (${milliseconds}) BETWEEN ${earliest} AND ${now + day} THEN CAST((${milliseconds}) AS BIGINT) END`;
}

/** Different texts that are given, the first of the table first. */
async function textsOf({ connection, table, column }: TimeColumn, where: string, limit: number) {
  const rows = await connection.runAndReadAll(`SELECT trim(${column}) FROM ${table}
    WHERE NOT ${isMissingSql(column)} AND ${where} GROUP BY 1 ORDER BY min(rowid) LIMIT ${limit}`);
  return rows.getRows().map(([text]) => String(text));
}

async function notUnderstood(source: TimeColumn): Promise<CourierError> {
  const { column, name } = source;
  const examples = (await textsOf(source, 'true', 3)).map((text) => oneLine(text, 40));
  const others = await textsOf(source, `NOT ${matches(`trim(${column})`, plainNumber)}`, 1);
  const remedy =
    examples.length > 0 && others.length === 0
      ? `If they count from another moment, give an expression in milliseconds since 1970, such as "1465876799998 + ${nameInSql(name)}::BIGINT".`
      : `Give an SQL expression that makes a time of them, such as "strptime(${nameInSql(name)}, '%d-%b-%Y %H:%M')".`;
  return new CourierError(
    'VALUE_INVALID',
    `\`${name}\` holds no times that are understood (${examples.join(', ') || 'all of it is empty'}): known are seconds, milli-, micro- and nanoseconds since 1970, yyyymmdd with or without HH, MM, SS, yymmddHH, ISO 8601, yyyy/mm/dd, mm/dd/yyyy, dd/mm/yyyy and dd.mm.yyyy with or without a time of day, of 1990 to tomorrow.`,
    remedy,
  );
}

function ambiguous(name: string, one: Format, other: Format, example: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `\`${name}\` can be read as ${one.meaning} and as ${other.meaning}, such as ${oneLine(example, 40)}.`,
    `Say which by an expression: "strptime(${nameInSql(name)}, '%m/%d/%Y')" or "strptime(${nameInSql(name)}, '%d/%m/%Y')".`,
  );
}
