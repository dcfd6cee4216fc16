/** The tables of a dataset as columns, and back. */
import { lowerBound, type UserEvents } from './clicks.ts';
import type { Catalogue, CategoricalColumn, ExposureTable, LoggedExposures, PageViews } from './dataset.ts';
import type { Column } from './duckdb/columns.ts';
import type { Numbers } from './duckdb/duckdb-vectors.ts';
import type { NumberColumn, ParquetTable } from './duckdb/parquet-table.ts';
import type { ManifestContent } from './manifest.ts';
import type { Part } from './parts.ts';
import type { PhotoIndex } from './photos/photo-index.ts';
import { invalid } from './validate.ts';

type Vocabulary = ManifestContent['categories'][number];

export function itemColumns({ ids, titles, photo, categories }: Catalogue): Column[] {
  return [
    { name: 'id', type: 'VARCHAR', values: ids },
    { name: 'title', type: 'VARCHAR', values: titles },
    { name: 'photo', type: 'INTEGER', values: photo },
    ...categories.map(({ name, codes }) => integers(`category_${name}`, codes)),
  ];
}

export async function catalogueFrom(
  table: ParquetTable,
  categories: readonly Vocabulary[],
): Promise<Catalogue> {
  return {
    ids: await requiredTexts(table, 'id'),
    titles: await table.texts('title'),
    photo: await table.integers('photo'),
    categories: await columnsFrom(table, 'category', categories),
  };
}

export function indexColumns({ offset, length, checksum }: PhotoIndex): Column[] {
  return [
    { name: 'offset', type: 'DOUBLE', values: offset },
    { name: 'length', type: 'INTEGER', values: length },
    { name: 'crc32', type: 'DOUBLE', values: checksum },
  ];
}

/**
 * @param photos that it has to be of
 * @throws CourierError DATASET_INVALID where they do not follow each other
 */
export async function indexFrom(table: ParquetTable, photos: number): Promise<PhotoIndex> {
  const index = {
    offset: await table.doubles('offset'),
    length: await table.integers('length'),
    checksum: await table.doubles('crc32'),
  };
  const { offset, length } = index;
  if (length.length !== photos) throw invalid(`${length.length} photos are indexed instead of ${photos}`);
  let end = 0;
  for (let row = 0; row < photos; row++) {
    if (offset[row] !== end || !(length[row]! > 0)) throw invalid(`photo ${row} lies at ${offset[row]}`);
    end += length[row]!;
  }
  return index;
}

/** Page views of a part. */
export function pageViewColumns(
  { user, time, history, historyLength }: Pick<PageViews, 'user' | 'time' | 'history' | 'historyLength'>,
  { from, to }: Part,
): Column[] {
  const views = user.subarray(from, to);
  return [
    integers('user', views),
    { name: 'time', type: 'DOUBLE', values: time.subarray(from, to) },
    ...Array.from({ length: historyLength }, (_, place) =>
      integers(
        `history_${place + 1}`,
        views.map((_, view) => history[(from + view) * historyLength + place]!),
      ),
    ),
  ];
}

/**
 * Exposures of a part.
 * @param numeric columns of the part, in the order of the names
 * @param firstView what the first page view of `start` is called; `log`: how many logs came before
 */
export function exposureColumns(
  { item, clicked, context, logged }: ExposureTable,
  start: Int32Array,
  { from, to }: Part,
  numericNames: readonly string[],
  numeric: readonly Float32Array[],
  { firstView, log }: { readonly firstView: number; readonly log: number },
): Column[] {
  const [first, end] = [start[from]!, start[to]!];
  const pageView = new Int32Array(end - first);
  for (let view = from; view < to; view++)
    pageView.fill(firstView + view, start[view]! - first, start[view + 1]! - first);
  return [
    integers('page_view', pageView),
    ...(logged === null ? [] : loggedColumns(logged, first, end, log)),
    integers('item', item.subarray(first, end)),
    { name: 'clicked', type: 'UTINYINT', values: clicked.subarray(first, end) },
    ...context.map(({ name, codes }) => integers(`context_${name}`, codes.subarray(first, end))),
    ...numericNames.map((name, feature): Column => {
      return { name: `numeric_${name}`, type: 'FLOAT', values: numeric[feature]! };
    }),
  ];
}

function loggedColumns(
  { row, time, clickedAt }: LoggedExposures,
  first: number,
  end: number,
  log: number,
): Column[] {
  const rows = new BigInt64Array(end - first);
  // As halves: a BigInt for each would be memory to collect.
  const halves = new Uint32Array(rows.buffer);
  for (let at = 0; at < rows.length; at++) {
    halves[2 * at] = row[first + at]! % 2 ** 32;
    halves[2 * at + 1] = Math.floor(row[first + at]! / 2 ** 32);
  }
  return [
    integers('log', new Int32Array(end - first).fill(log)),
    { name: 'log_row', type: 'BIGINT', values: rows },
    { name: 'time', type: 'DOUBLE', values: time.subarray(first, end) },
    { name: 'clicked_at', type: 'DOUBLE', values: clickedAt.subarray(first, end) },
  ];
}

/** Where the columns of all parts lie together: page views and exposures of a part, from where on they are its own. */
export interface Offsets {
  readonly view: number;
  readonly row: number;
}

/** A column of a part as a stretch of memory for all parts. */
function into(memory: Numbers, from: number, name: string, type: NumberColumn['type']): NumberColumn {
  return { name, type, take: (values, first) => memory.set(values, from + first) };
}

/** Clicks, and exposures where they are known, each in the order of time. */
export function eventColumns({
  clicks,
  shown,
}: {
  readonly clicks: UserEvents;
  readonly shown: UserEvents | null;
}): Column[] {
  const both = shown === null ? [clicks] : [clicks, shown];
  const rows = both.reduce((sum, { time }) => sum + time.length, 0);
  const columns = {
    clicked: new Uint8Array(rows).fill(1, 0, clicks.time.length),
    user: new Int32Array(rows),
    item: new Int32Array(rows),
    time: new Float64Array(rows),
  };
  let from = 0;
  for (const { user, item, time } of both) {
    columns.user.set(user, from);
    columns.item.set(item, from);
    columns.time.set(time, from);
    from += time.length;
  }
  return [
    { name: 'clicked', type: 'UTINYINT', values: columns.clicked },
    { name: 'user', type: 'INTEGER', values: columns.user },
    { name: 'item', type: 'INTEGER', values: columns.item },
    { name: 'time', type: 'DOUBLE', values: columns.time },
  ];
}

/**
 * What `eventColumns` made. Exposures that are not known are none.
 * @throws CourierError DATASET_INVALID for a user or an item that there is not, and for times that are none or not in order
 */
export async function readEvents(
  table: ParquetTable,
  users: number,
  items: number,
): Promise<{ readonly clicks: UserEvents; readonly shown: UserEvents | null }> {
  const rows = table.rowCount;
  const columns = {
    clicked: new Uint8Array(rows),
    user: new Int32Array(rows),
    item: new Int32Array(rows),
    time: new Float64Array(rows),
  };
  await table.numbers([
    into(columns.clicked, 0, 'clicked', 'UTINYINT'),
    into(columns.user, 0, 'user', 'INTEGER'),
    into(columns.item, 0, 'item', 'INTEGER'),
    into(columns.time, 0, 'time', 'DOUBLE'),
  ]);
  const { clicked, user, item, time } = columns;
  const clicks = clicked.reduce((sum, each) => sum + (each === 1 ? 1 : 0), 0);
  for (let row = 0; row < rows; row++) {
    const isKnown = user[row]! >= 0 && user[row]! < users && item[row]! >= 0 && item[row]! < items;
    const isFirst = row === 0 || row === clicks;
    const isInOrder = Number.isFinite(time[row]!) && (isFirst || time[row - 1]! <= time[row]!);
    if (!isKnown || !isInOrder || row < clicks !== (clicked[row] === 1))
      throw invalid(`event ${row} is none`);
  }
  const part = (from: number, to: number): UserEvents => ({
    user: user.slice(from, to),
    item: item.slice(from, to),
    time: time.slice(from, to),
  });
  return { clicks: part(0, clicks), shown: rows > clicks ? part(clicks, rows) : null };
}

/** Reads the page views of a part into those of all. */
export async function readPageViews(
  table: ParquetTable,
  { user, time, history, historyLength }: Pick<PageViews, 'user' | 'time' | 'history' | 'historyLength'>,
  { view }: Offsets,
): Promise<void> {
  const places = Array.from(
    { length: historyLength },
    (_, place): NumberColumn => ({
      name: `history_${place + 1}`,
      type: 'INTEGER',
      take(items, first) {
        for (let at = 0; at < items.length; at++)
          history[(view + first + at) * historyLength + place] = items[at]!;
      },
    }),
  );
  await table.numbers([into(user, view, 'user', 'INTEGER'), into(time, view, 'time', 'DOUBLE'), ...places]);
}

/**
 * Reads what every use of exposures needs.
 * @param pageView of each exposure. (R)
 * @param logged of those that have it, and are asked for it
 */
export async function readExposures(
  table: ParquetTable,
  { item, clicked, pageView }: { item: Int32Array; clicked: Uint8Array; pageView: Int32Array },
  logged: LoggedExposures | null,
  { row }: Offsets,
): Promise<void> {
  await table.numbers([
    into(pageView, row, 'page_view', 'INTEGER'),
    into(item, row, 'item', 'INTEGER'),
    into(clicked, row, 'clicked', 'UTINYINT'),
    ...(logged === null
      ? []
      : [
          { ...into(logged.row, row, 'log_row', 'DOUBLE'), stored: 'BIGINT' as const },
          into(logged.time, row, 'time', 'DOUBLE'),
          into(logged.clickedAt, row, 'clicked_at', 'DOUBLE'),
        ]),
  ]);
}

/**
 * Reads when exposures were clicked.
 * @param rows of those that were, ascending. (C)
 * @param clickedAt of the same; milliseconds. (C)
 */
export async function readClickTimes(
  table: ParquetTable,
  rows: Int32Array,
  clickedAt: Float64Array,
  { row: from }: Offsets,
): Promise<void> {
  await table.numbers([
    {
      name: 'clicked_at',
      type: 'DOUBLE',
      take(values, first) {
        const [begin, end] = [from + first, from + first + values.length];
        let place = lowerBound((at) => rows[at]!, begin, 0, rows.length);
        for (; place < rows.length && rows[place]! < end; place++)
          clickedAt[place] = values[rows[place]! - begin]!;
      },
    },
  ]);
}

/** Reads where exposures stand in their logs. */
export async function readPlaces(
  table: ParquetTable,
  { log, row }: { readonly log: Int32Array; readonly row: BigInt64Array },
  { row: from }: Offsets,
): Promise<void> {
  await table.numbers([
    into(log, from, 'log', 'INTEGER'),
    {
      name: 'log_row',
      type: 'DOUBLE',
      stored: 'BIGINT',
      take(values, first) {
        for (let at = 0; at < values.length; at++) row[from + first + at] = BigInt(values[at]!);
      },
    },
  ]);
}

/**
 * Reads base features and contexts.
 * @param write takes columns of some rows, in the order of their names
 */
export async function readFeatures(
  table: ParquetTable,
  names: readonly string[],
  write: (first: number, columns: readonly Numbers[]) => void,
  context: readonly CategoricalColumn[],
  { row }: Offsets,
): Promise<void> {
  const columns: Numbers[] = [];
  await table.numbers([
    ...names.map(
      (name, place): NumberColumn => ({
        name: `numeric_${name}`,
        type: 'FLOAT',
        take(values, first) {
          columns[place] = values;
          if (place === names.length - 1) write(row + first, columns);
        },
      }),
    ),
    ...context.map(({ name, codes }) => into(codes, row, `context_${name}`, 'INTEGER')),
  ]);
}

/** Texts of which none may be missing. */
export async function requiredTexts(table: ParquetTable, name: string): Promise<string[]> {
  return (await table.texts(name)).map((text) => {
    if (text === null) throw invalid(`a text of column ${name} is missing`);
    return text;
  });
}

function integers(name: string, values: Int32Array): Column {
  return { name, type: 'INTEGER', values };
}

async function columnsFrom(
  table: ParquetTable,
  kind: string,
  vocabularies: readonly Vocabulary[],
): Promise<CategoricalColumn[]> {
  const columns: CategoricalColumn[] = [];
  for (const { name, values } of vocabularies)
    columns.push({ name, values, codes: await table.integers(`${kind}_${name}`) });
  return columns;
}

/** Where the exposures of each page view begin. @param pageView of each exposure, ascending */
export function startsFrom(pageView: Int32Array, viewCount: number): Int32Array {
  const start = new Int32Array(viewCount + 1);
  for (let row = 0; row < pageView.length; row++) {
    const view = pageView[row]!;
    if (!(view >= 0 && view < viewCount) || (row > 0 && view < pageView[row - 1]!)) {
      throw invalid(`exposure ${row} belongs to page view ${view}, which is out of order`);
    }
    start[view + 1]!++;
  }
  for (let view = 0; view < viewCount; view++) start[view + 1]! += start[view]!;
  return start;
}
