/** The rows of a click log, parsed and checked. */
import { basename } from 'node:path';
import { CourierError } from '../../errors.ts';
import { safePlace } from '../../progress.ts';
import { BadRows, type Findings } from '../findings.ts';
import type { Indexer } from '../indexer.ts';
import { rowsBetweenSafePlaces, type SourceContext } from './source.ts';
import type { TableOptions } from './table-options.ts';
import { readTextTable, type TextTable } from './text-table.ts';
import { parseTime } from './time.ts';

type LogOptions = TableOptions['log'];

export interface LogRow {
  readonly user: number;
  readonly item: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  readonly clicked: boolean;
  /** When it was clicked: that of the row where the log does not say; without meaning where it was not clicked. */
  readonly clickedAt: number;
  /** Rows of one user with the same text were shown together. */
  readonly pageView: string;
  /** In the order of the options; NaN where missing. */
  readonly numeric: readonly number[];
  readonly context: readonly (string | null)[];
}

/**
 * The usable rows of a log, in the order of the file.
 * @throws CourierError of readTextTable, LOG_EMPTY, TOO_MANY_BAD_ROWS or LOG_WITHOUT_CLICKS
 */
export async function readLog(
  options: LogOptions,
  indexers: { readonly users: Indexer; readonly items: Indexer },
  { maxBadRows, signal }: SourceContext,
  findings: Findings,
): Promise<LogRow[]> {
  const badRows = new BadRows(basename(options.path), findings);
  const optional = [options.clicked, options.clickedAt, options.pageView].filter(
    (name) => name !== undefined,
  );
  const wanted = [options.user, options.item, options.time, ...optional];
  const names = [...wanted, ...options.numeric, ...options.context];
  const table = await readTextTable(options.path, 'Click log', names, badRows, signal);
  if (table.total === 0) throw emptyLog(options.path);
  const rows: LogRow[] = [];
  for (const [index, row] of table.row.entries()) {
    if (index % rowsBetweenSafePlaces === 0) await safePlace(signal);
    if (table.duplicate[index]) {
      findings.add('Duplicate rows of the log dropped', `row ${row}`);
      continue;
    }
    const parsed = parseRow(table, index, options);
    if ('problem' in parsed) badRows.skip(row, parsed.problem, parsed.value);
    else
      rows.push({
        ...parsed,
        user: indexers.users.indexOf(parsed.user),
        item: indexers.items.indexOf(parsed.item),
      });
  }
  badRows.check(table.total, maxBadRows);
  if (!rows.some(({ clicked }) => clicked)) throw withoutClicks(options);
  return rows;
}

type ParsedRow = Omit<LogRow, 'user' | 'item'> & { readonly user: string; readonly item: string };
type Problem = { readonly problem: string; readonly value: string | null };

function parseRow(table: TextTable, index: number, options: LogOptions): ParsedRow | Problem {
  const cell = (name: string): string | null => table.columns.get(name)?.[index] ?? null;
  const user = cell(options.user)?.trim() ?? '';
  if (user === '') return { problem: `empty ${options.user}`, value: user };
  const item = cell(options.item)?.trim() ?? '';
  if (item === '') return { problem: `empty ${options.item}`, value: item };
  const timeText = cell(options.time);
  const time = parseTime(timeText ?? '');
  if (time === undefined) return { problem: `${options.time} is no time`, value: timeText };
  const label = options.clicked === undefined ? '1' : cell(options.clicked);
  const clicked = parseLabel(label ?? '');
  if (clicked === undefined)
    return { problem: `${options.clicked} is not 0, 1, true or false`, value: label };
  const clickedAtText = options.clickedAt === undefined || !clicked ? timeText : cell(options.clickedAt);
  const clickedAt = parseTime(clickedAtText ?? '');
  if (clickedAt === undefined)
    return { problem: `${options.clickedAt} of a click is no time`, value: clickedAtText };
  if (clickedAt < time)
    return { problem: `${options.clickedAt} is before ${options.time}`, value: clickedAtText };
  const pageView = options.pageView === undefined ? String(time) : (cell(options.pageView)?.trim() ?? '');
  if (pageView === '') return { problem: `empty ${options.pageView}`, value: pageView };
  const numeric: number[] = [];
  for (const name of options.numeric) {
    const value = parseNumber(cell(name));
    if (value === undefined) return { problem: `${name} is not a finite number`, value: cell(name) };
    numeric.push(value);
  }
  return { user, item, time, clicked, clickedAt, pageView, numeric, context: options.context.map(cell) };
}

/** 0 and 1 may have decimals, as tools write them into a column with missing values. */
function parseLabel(text: string): boolean | undefined {
  const label = text.trim().toLowerCase();
  if (/^(true|1(\.0*)?)$/.test(label)) return true;
  if (/^(false|0(\.0*)?)$/.test(label)) return false;
  return undefined;
}

/** NaN for an empty cell, undefined for something that is no finite number. */
export function parseNumber(text: string | null): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return Number.NaN;
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
