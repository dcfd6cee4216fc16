/** A click log in a database: parsed, checked, with users and items as numbers. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { CourierError } from '../../errors.ts';
import { safePlace } from '../../progress.ts';
import { createTable } from '../duckdb/columns.ts';
import { readNumber } from '../duckdb/typed-rows.ts';
import { BadRows, type Findings } from '../findings.ts';
import type { Indexer } from '../indexer.ts';
import { requireCountable } from '../parts.ts';
import { labelSql, numberSql } from './column-sql.ts';
import { encodeTexts } from './dictionary.ts';
import { IdLooks } from './id-looks.ts';
import { inputName } from './input-files.ts';
import { labelExample, mayBeLabel } from './label-column.ts';
import type { SourceContext } from './source.ts';
import type { TableOptions } from './table-options.ts';
import { type LoadedTable, withLoadedTable } from './text-table.ts';
import { type TimeReading, understandTimes } from './time-column.ts';
import { emptyIn, type Problem, problemSql, skipUnusable } from './unusable-rows.ts';
import { givenText, wholeId } from './words.ts';

type LogOptions = TableOptions['log'];

/**
 * The usable rows, in the table `coded` of a connection: row, user_id, item_id, time, clicked, clicked_at, view (a hash of its text;
 * of no meaning where the log has no page views), n0 … (numbers, NaN where missing), x0 … (codes of context).
 */
export interface CodedLog {
  readonly connection: DuckDBConnection;
  /** Rows of `coded`. */
  readonly count: number;
  /** Texts of the codes of each context column, `unknown` being the first. */
  readonly contextTexts: readonly (readonly string[])[];
  /** What the times were understood to be. */
  readonly timeMeaning: string;
  /**
   * The histories of some rows, as ids in the order of the log.
   * @param rows numbers of `coded`, in any order
   */
  historiesOf(rows: Float64Array, take: (place: number, ids: readonly string[]) => void): Promise<void>;
  /** The text of the page view of a row of `coded`, for messages. */
  pageViewOf(row: number): Promise<string>;
}

interface Indexers {
  readonly users: Indexer;
  readonly items: Indexer;
}

/**
 * Reads a log. What its times and labels mean is told by whole columns.
 * @throws CourierError of withLoadedTable, understandTimes and understandLabels, LOG_EMPTY, TOO_MANY_BAD_ROWS or LOG_WITHOUT_CLICKS
 */
export async function withLog<T>(
  options: LogOptions,
  indexers: Indexers,
  { maxBadRows, signal, scratch }: SourceContext,
  findings: Findings,
  task: (log: CodedLog) => Promise<T>,
): Promise<T> {
  const badRows = new BadRows(inputName(options.path), findings);
  const optional = [options.clicked, options.clickedAt, options.pageView].filter(
    (name) => name !== undefined,
  );
  const wanted = [options.user, options.item, options.time, ...optional];
  const lists = options.history === undefined ? [] : [historySql(options.history)];
  const names = [...wanted, ...options.numeric, ...options.context, ...lists];
  const { encoding, quote } = options;
  const reading = { what: 'Click log', badRows, findings, encoding, quote, signal, scratch };
  return withLoadedTable(options.path, names, reading, async (loaded) => {
    const { connection, total } = loaded;
    if (total === 0) throw emptyLog(options.path);
    // Before anything is understood of what is left.
    badRows.check(total, maxBadRows);
    const time = await timesOf(loaded, options.time);
    const clickTime = options.clickedAt === undefined ? null : await timesOf(loaded, options.clickedAt);
    await parse(loaded, options, time, clickTime, badRows, findings);
    badRows.check(total, maxBadRows);
    await safePlace(signal);
    await requireBothLabels(connection, options);
    findUnusedLabels(loaded, options, findings);
    const contextTexts = await code(connection, options, indexers, findings);
    await safePlace(signal);
    const count = await readNumber(connection, 'SELECT count(*) FROM coded');
    requireCountable(count, inputName(options.path));
    return task({
      connection,
      count,
      contextTexts,
      timeMeaning: time.meaning,
      async historiesOf(rows, take) {
        if (options.history === undefined) return;
        const places = Int32Array.from(rows.keys());
        await createTable(connection, 'wanted', [
          { name: 'row', type: 'DOUBLE', values: rows },
          { name: 'place', type: 'INTEGER', values: places },
        ]);
        const text = loaded.column(historySql(options.history));
        const result = await connection.stream(
          `SELECT place, ${text} FROM wanted JOIN ${loaded.table} ON CAST(wanted.row AS BIGINT) = ${loaded.table}.${loaded.row} ORDER BY place`,
        );
        for await (const chunk of result) {
          const [found = [], texts = []] = chunk.getColumns();
          for (const [at, each] of texts.entries()) {
            const ids = typeof each === 'string' ? each.split(separator) : [];
            take(
              Number(found[at]),
              ids.flatMap((id) => {
                const given = givenText(id);
                return given === null ? [] : [wholeId(given)];
              }),
            );
          }
        }
      },
      async pageViewOf(row) {
        const sql = `SELECT ${loaded.column(options.pageView ?? options.time)} FROM ${loaded.table} WHERE ${loaded.row} = ${row}`;
        const [[text] = ['']] = (await connection.runAndReadAll(sql)).getRows();
        return `${text}`;
      },
    });
  });
}

/** Between the items of a history, in which no id has it. */
const separator = '\u001f';

/** A list of ids as one text. */
function historySql(column: string): string {
  return `array_to_string(list_transform((${column})::VARCHAR[], lambda item: coalesce(trim(item), '')), chr(${separator.charCodeAt(0)}))`;
}

function timesOf({ connection, table, column }: LoadedTable, name: string): Promise<TimeReading> {
  return understandTimes({ connection, table, column: column(name), name });
}

/** Makes the table `parsed`, in which `problem` is null for a row that can be used. */
async function parse(
  loaded: LoadedTable,
  options: LogOptions,
  time: TimeReading,
  clickTime: TimeReading | null,
  badRows: BadRows,
  findings: Findings,
): Promise<void> {
  const { connection, table, column } = loaded;
  const cell = (name: string | undefined) => (name === undefined ? 'NULL' : column(name));
  const clicked =
    options.clicked === undefined ? 'true' : await labelSql(loaded, options.clicked, options.clickedValues);
  const shownAt = time.milliseconds(column(options.time));
  const numbers: string[] = [];
  for (const name of options.numeric) numbers.push(await numberSql(loaded, name, findings));
  const values = {
    user_id: column(options.user),
    item_id: column(options.item),
    time: shownAt,
    clicked,
    clicked_at:
      clickTime === null
        ? 'NULL'
        : `CASE WHEN ${clicked} THEN ${clickTime.milliseconds(cell(options.clickedAt))} END`,
    view: options.pageView === undefined ? '0' : `hash(${column(options.pageView)})`,
    ...Object.fromEntries(numbers.map((sql, place) => [`n${place}`, sql])),
    ...Object.fromEntries(options.context.map((name, place) => [`x${place}`, column(name)])),
  };
  const problems = problemsOf(options, column);
  const selected = Object.entries(values).map(([name, sql]) => `${sql} AS ${name}`);
  await connection.run(`CREATE TEMP TABLE parsed AS
    SELECT row, user_id, item_id, time, clicked, coalesce(clicked_at, time) AS clicked_at, view, ${numbered('n', options.numeric)}
      ${numbered('x', options.context)} ${problemSql(problems)} AS problem
    FROM (SELECT ${loaded.row} AS row, ${selected.join(', ')}, ${usedTexts(loaded, options)} FROM ${table})`);
  await skipUnusable(loaded, problems, badRows);
}

/** Columns `n0, n1, `, as many as there are names. */
function numbered(letter: string, names: readonly string[]): string {
  return names.map((_, place) => `${letter}${place}, `).join('');
}

/** The columns that problems are told from, as they are. */
function usedTexts({ column }: LoadedTable, { user, item, pageView }: LogOptions): string {
  return [...new Set([user, item, pageView].filter((name) => name !== undefined).map(column))].join(', ');
}

/** In the order in which a row is looked at. */
function problemsOf(options: LogOptions, column: (name: string) => string): readonly Problem[] {
  const { user, item, time, clicked, clickedAt, pageView, numeric } = options;
  const empty = (name: string) => emptyIn(name, column);
  return [
    empty(user),
    empty(item),
    { condition: 'time IS NULL', reason: `${time} is no time of 1990 to today`, name: time },
    ...(clicked === undefined
      ? []
      : [{ condition: 'clicked IS NULL', reason: `${clicked} is neither click nor none`, name: clicked }]),
    ...(clickedAt === undefined
      ? []
      : [
          {
            condition: 'clicked AND clicked_at IS NULL',
            reason: `${clickedAt} of a click is no time`,
            name: clickedAt,
          },
          { condition: 'clicked_at < time', reason: `${clickedAt} is before ${time}`, name: clickedAt },
        ]),
    ...(pageView === undefined ? [] : [empty(pageView)]),
    ...numeric.map((name, place) => ({
      condition: `n${place} IS NULL`,
      reason: `${name} is not a finite number`,
      name,
    })),
  ];
}

/** @throws CourierError LOG_WITHOUT_CLICKS where there are no clicks, or nothing but clicks */
async function requireBothLabels(connection: DuckDBConnection, options: LogOptions): Promise<void> {
  const usable = 'FROM parsed WHERE problem IS NULL';
  if ((await readNumber(connection, `SELECT count(*) ${usable} AND clicked`)) === 0)
    throw withoutClicks(options);
  if (
    options.clicked !== undefined &&
    (await readNumber(connection, `SELECT count(*) ${usable} AND NOT clicked`)) === 0
  )
    throw withoutOthers(options);
}

/** Where every row is taken for a click: the columns that may say that some are none. */
function findUnusedLabels({ names, total }: LoadedTable, options: LogOptions, findings: Findings): void {
  if (options.clicked !== undefined) return;
  const { user, item, time, clickedAt, pageView, numeric, context } = options;
  const used = [user, item, time, clickedAt, pageView, ...numeric, ...context];
  const labels = names.filter((name) => mayBeLabel(name) && !used.includes(name));
  if (labels.length === 0) return;
  const [first = ''] = labels;
  findings.add(
    `Every row was taken for a click, and ${labels.map((name) => `\`${name}\``).join(', ')} may say that some are none: name it, such as with --clicked ${labelExample(first)}`,
    undefined,
    total,
  );
}

/** Makes `coded` of `parsed`. @returns the texts of the codes of each context column */
async function code(
  connection: DuckDBConnection,
  options: LogOptions,
  indexers: Indexers,
  findings: Findings,
): Promise<string[][]> {
  const usable = 'parsed WHERE problem IS NULL';
  const decimals = { rows: 0, example: '' };
  for (const [table, ids, indexer] of [
    ['users', options.user, indexers.users],
    ['items', options.item, indexers.items],
  ] as const) {
    const looks = new IdLooks(ids);
    const column = table === 'users' ? 'user_id' : 'item_id';
    await encodeTexts(connection, table, column, usable, (text, rows) => {
      looks.at(text ?? '', rows);
      const id = givenText(text) ?? '';
      const whole = wholeId(id);
      if (whole !== id) {
        decimals.rows += rows;
        decimals.example = `${id} as ${whole}`;
      }
      return indexer.indexOf(whole);
    });
    looks.require();
  }
  findings.add('Ids of whole numbers with decimals, read without them', decimals.example, decimals.rows);
  const contextTexts: string[][] = [];
  for (const place of options.context.keys()) {
    const texts = ['unknown'];
    const codes = new Map<string, number>();
    await encodeTexts(connection, `contexts${place}`, `x${place}`, usable, (text) => {
      const given = givenText(text);
      if (given === null) return 0;
      const known = codes.get(given) ?? texts.push(given) - 1;
      codes.set(given, known);
      return known;
    });
    contextTexts.push(texts);
  }
  const extra = [
    ...options.numeric.map((_, place) => `, n${place}`),
    ...options.context.map((_, place) => `, t${place}.code AS x${place}`),
  ].join('');
  const joins = options.context.map(
    (_, place) => `JOIN contexts${place} t${place} ON x${place} IS NOT DISTINCT FROM t${place}.text`,
  );
  await connection.run(`CREATE TEMP TABLE coded AS
    SELECT row, users.code AS user_id, items.code AS item_id, time, clicked, clicked_at, view${extra}
    FROM parsed JOIN users ON user_id = users.text JOIN items ON item_id = items.text ${joins.join(' ')}
    WHERE problem IS NULL`);
  await connection.run('DROP TABLE parsed');
  return contextTexts;
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
