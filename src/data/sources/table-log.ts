/** The rows of a click log, parsed and checked. */
import { CourierError } from '../../errors.ts';
import { safePlace } from '../../progress.ts';
import { oneLine } from '../../text.ts';
import { BadRows, type Findings } from '../findings.ts';
import type { Indexer } from '../indexer.ts';
import { inputName } from './input-files.ts';
import { understandLabels } from './label-column.ts';
import { findFarTimes, findHeavyIds } from './log-findings.ts';
import type { LogRow } from './log-row.ts';
import { rowsBetweenSafePlaces, type SourceContext } from './source.ts';
import type { TableOptions } from './table-options.ts';
import { readTextTable, type TextTable } from './text-table.ts';
import { type TimeReading, understandTimes } from './time-column.ts';
import { givenText, isScientific, wholeId } from './words.ts';

type LogOptions = TableOptions['log'];

export interface Log {
  /** The usable rows, in the order of the file. */
  readonly rows: readonly LogRow[];
  /** What was understood of it, in words for the report. */
  readonly understood: readonly string[];
}

/**
 * Reads a log. What its times and labels mean is told by whole columns.
 * @throws CourierError of readTextTable, understandTimes and understandLabels, LOG_EMPTY, TOO_MANY_BAD_ROWS or LOG_WITHOUT_CLICKS
 */
export async function readLog(
  options: LogOptions,
  indexers: { readonly users: Indexer; readonly items: Indexer },
  { maxBadRows, signal }: SourceContext,
  findings: Findings,
): Promise<Log> {
  const badRows = new BadRows(inputName(options.path), findings);
  const optional = [options.clicked, options.clickedAt, options.pageView].filter(
    (name) => name !== undefined,
  );
  const wanted = [options.user, options.item, options.time, ...optional];
  const names = [...wanted, ...options.numeric, ...options.context];
  const { encoding, quote } = options;
  const reading = { what: 'Click log', badRows, findings, encoding, quote, signal };
  const table = await readTextTable(options.path, names, reading);
  if (table.total === 0) throw emptyLog(options.path);
  // Before anything is understood of what is left.
  badRows.check(table.total, maxBadRows);
  const parser = new RowParser(table, options);
  const rows: LogRow[] = [];
  for (const [index, row] of table.row.entries()) {
    if (index % rowsBetweenSafePlaces === 0) await safePlace(signal);
    if (table.duplicate[index]) {
      findings.add('Duplicate rows of the log dropped', `row ${row}`);
      continue;
    }
    const parsed = parser.parse(index);
    if ('problem' in parsed) badRows.skip(row, parsed.problem, parsed.value);
    else
      rows.push({
        ...parsed,
        user: indexers.users.indexOf(parsed.user),
        item: indexers.items.indexOf(parsed.item),
      });
  }
  badRows.check(table.total, maxBadRows);
  parser.report(findings);
  if (!rows.some(({ clicked }) => clicked)) throw withoutClicks(options);
  if (options.clicked !== undefined && rows.every(({ clicked }) => clicked)) throw withoutOthers(options);
  findHeavyIds(rows, indexers, findings);
  findFarTimes(rows, findings);
  return { rows, understood: [parser.understood(rows)] };
}

type ParsedRow = Omit<LogRow, 'user' | 'item'> & { readonly user: string; readonly item: string };
type Problem = { readonly problem: string; readonly value: string | null };

class RowParser {
  readonly #table: TextTable;
  readonly #options: LogOptions;
  readonly #times: TimeReading;
  readonly #clickTimes: TimeReading | null;
  readonly #labelOf: (text: string | null) => boolean | undefined;
  readonly #ids = { decimals: 0, example: '' };

  constructor(table: TextTable, options: LogOptions) {
    const texts = (name: string) => table.columns.get(name) ?? [];
    this.#table = table;
    this.#options = options;
    for (const name of [options.user, options.item]) requireIds(name, texts(name));
    this.#times = understandTimes(options.time, texts(options.time));
    this.#clickTimes =
      options.clickedAt === undefined ? null : understandTimes(options.clickedAt, texts(options.clickedAt));
    this.#labelOf =
      options.clicked === undefined
        ? () => true
        : understandLabels(options.clicked, texts(options.clicked), options.clickedValues);
  }

  parse(index: number): ParsedRow | Problem {
    const options = this.#options;
    const cell = (name: string): string | null => this.#table.columns.get(name)?.[index] ?? null;
    const user = this.#id(cell(options.user));
    if (user === null) return { problem: `empty ${options.user}`, value: cell(options.user) };
    const item = this.#id(cell(options.item));
    if (item === null) return { problem: `empty ${options.item}`, value: cell(options.item) };
    const timeText = cell(options.time);
    const time = this.#times.toMilliseconds(timeText ?? '');
    if (time === undefined)
      return { problem: `${options.time} is no time of 1990 to today`, value: timeText };
    const label = options.clicked === undefined ? null : cell(options.clicked);
    const clicked = this.#labelOf(label);
    if (clicked === undefined)
      return { problem: `${options.clicked} is neither click nor none`, value: label };
    const late = this.#clickTimes !== null && clicked ? cell(options.clickedAt ?? '') : null;
    const clickedAt =
      this.#clickTimes !== null && clicked ? this.#clickTimes.toMilliseconds(late ?? '') : time;
    if (clickedAt === undefined)
      return { problem: `${options.clickedAt} of a click is no time`, value: late };
    if (clickedAt < time) return { problem: `${options.clickedAt} is before ${options.time}`, value: late };
    const pageView = options.pageView === undefined ? `${time}` : givenText(cell(options.pageView));
    if (pageView === null)
      return { problem: `empty ${options.pageView}`, value: cell(options.pageView ?? '') };
    const numeric: number[] = [];
    for (const name of options.numeric) {
      const value = parseNumber(cell(name));
      if (value === undefined) return { problem: `${name} is not a finite number`, value: cell(name) };
      numeric.push(value);
    }
    const context = options.context.map((name) => givenText(cell(name)));
    return { user, item, time, clicked, clickedAt, pageView, numeric, context };
  }

  report(findings: Findings): void {
    findings.add(
      'Ids of whole numbers with decimals, read without them',
      this.#ids.example,
      this.#ids.decimals,
    );
  }

  /** In words: what the times are, and from when to when they go. */
  understood(rows: readonly LogRow[]): string {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { time } of rows) {
      first = Math.min(first, time);
      last = Math.max(last, time);
    }
    const text = (time: number) => new Date(time).toISOString().slice(0, 19).replace('T', ' ');
    return `Times: ${this.#options.time} as ${this.#times.meaning}, from ${text(first)} to ${text(last)} UTC`;
  }

  #id(text: string | null): string | null {
    const id = givenText(text);
    const whole = id === null ? null : wholeId(id);
    if (whole !== id) {
      this.#ids.decimals++;
      this.#ids.example = `${id} as ${whole}`;
    }
    return whole;
  }
}

/** @throws CourierError VALUE_INVALID where more than one of a hundred is a number that has lost its digits, or a list */
export function requireIds(name: string, texts: readonly (string | null)[]): void {
  const lists = texts.filter((text) => text !== null && /^\s*[[{]/.test(text));
  if (lists.length > 0.01 * texts.length)
    throw new CourierError(
      'VALUE_INVALID',
      `\`${name}\` holds lists such as ${oneLine(lists[0] ?? '', 60)}.`,
      `Make rows of them in a query: "SELECT *, unnest(from_json(${name}, '["VARCHAR"]')) AS item FROM …".`,
    );
  const lost = texts.filter((text) => text !== null && isScientific(text.trim()));
  if (lost.length <= 0.01 * texts.length) return;
  throw new CourierError(
    'VALUE_INVALID',
    `\`${name}\` holds numbers such as ${lost[0]}, of which a spreadsheet has kept no more digits.`,
    'Export the ids as text.',
  );
}

/** NaN for an empty cell, undefined for something that is no finite number. */
export function parseNumber(text: string | null): number | undefined {
  const trimmed = givenText(text);
  if (trimmed === null) return Number.NaN;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function emptyLog(path: string): CourierError {
  return new CourierError(
    'LOG_EMPTY',
    `The click log has no rows: ${path}`,
    'Check the path and the export.',
  );
}

function withoutClicks({ path, clicked }: LogOptions): CourierError {
  return new CourierError(
    'LOG_WITHOUT_CLICKS',
    `No usable row of ${path} is a click${clicked === undefined ? '' : ` (column \`${clicked}\`)`}.`,
    'Check that `clicked` names the right column and that clicks are written as 1 or true.',
  );
}

function withoutOthers({ path, clicked }: LogOptions): CourierError {
  return new CourierError(
    'LOG_WITHOUT_CLICKS',
    `Every usable row of ${path} is a click (column \`${clicked}\`): there is nothing to tell clicks from.`,
    'Leave `clicked` out if the log has clicks or purchases only: then candidates are sampled. Else check which values are clicks.',
  );
}
