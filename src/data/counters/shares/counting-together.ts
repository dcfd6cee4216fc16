/**
 * Counters of several processes, each for its shares of the keys: the first one gives all the log, and puts their columns together, part
 * after part.
 */
import { askOthers, type Errand } from '../../../collectives/errands.ts';
import { gatherBytes } from '../../../collectives/gather.ts';
import { offsetsOf, type ProcessGroup } from '../../../collectives/process-group.ts';
import { allGatherNumbers, broadcastJson, receiveJson } from '../../../collectives/texts.ts';
import type { UserEvents } from '../../clicks.ts';
import type { Part } from '../../parts.ts';
import { type ColumnGroup, counterColumns, type KeyKind, keyOf } from '../counter-tables.ts';
import type { CounterSettings } from '../counters.ts';
import { columnMemory } from './column-memory.ts';
import type { CountedLog, Counting, SharedColumns, Shares } from './counted-log.ts';
import { countHere, countingThreads } from './counting.ts';

/** What the first process tells before it brings the numbers. */
interface Told {
  readonly settings: CounterSettings;
  readonly categories: readonly string[];
  readonly clicks: number;
  /** null where it is not known what was shown. */
  readonly shown: number | null;
  readonly items: number;
  readonly pageViews: number;
  readonly exposures: number;
  readonly parts: readonly Part[];
}

/**
 * In the first process: each computes the columns of its keys.
 * @param parts all that will be asked for, in their order
 * @param threads of this process
 */
export async function countTogether(
  group: ProcessGroup,
  log: CountedLog,
  parts: readonly Part[],
  threads: number,
): Promise<Counting> {
  if (group.size === 1) return countHere(log, { from: 0, to: threads, of: threads });
  await askOthers(group, countingErrand);
  await broadcastJson<Told>(group, {
    settings: log.settings,
    categories: log.categories.map(({ name }) => name),
    clicks: log.clicks.time.length,
    shown: log.shown?.time.length ?? null,
    items: log.categories[0]?.codes.length ?? 0,
    pageViews: log.pageViews.time.length,
    exposures: log.item.length,
    parts,
  });
  for (const values of arraysOf(log)) await group.broadcast(values);
  const shares = await sharesOfAll(group, threads);
  const own = countHere(log, shares[0]!);
  const { groups } = counterColumns(log.categories, log.settings.withExposures);
  return {
    async fill(part, columns, signal) {
      const pieces = piecesOf(log, groups, part, shares);
      await own.fill(part, columns, signal);
      const lengths = pieces.map((each, rank) => (rank === 0 ? 0 : bytesPerNumber * lengthOf(each)));
      const found = await gatherBytes(group, new Uint8Array(), lengths);
      for (const [rank, bytes] of found.entries()) {
        if (rank > 0) spread(floatsOf(bytes), pieces[rank]!, columns);
      }
    },
    close: () => own.close(),
  };
}

const bytesPerNumber = Float32Array.BYTES_PER_ELEMENT;

function floatsOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / bytesPerNumber);
}

/** What the others do meanwhile. */
export const countingErrand = { name: 'counting', run: countForFirst } satisfies Errand;

/** @param threads of this process; by default as many as the log is worth */
async function countForFirst(group: ProcessGroup, threads?: number): Promise<void> {
  const told = await receiveJson<Told>(group);
  const log = logOf(told);
  for (const values of arraysOf(log)) await group.broadcast(values);
  const shares = await sharesOfAll(group, threads ?? countingThreads(log, group.size));
  const counters = countHere(log, shares[group.rank]!);
  const { names, groups } = counterColumns(log.categories, log.settings.withExposures);
  const memory = columnMemory(names.length);
  const { start } = log.pageViews;
  try {
    for (const part of told.parts) {
      const columns = memory(start[part.to]! - start[part.from]!);
      await counters.fill(part, columns);
      const own = piecesOf(log, groups, part, shares)[group.rank]!;
      await gatherBytes(group, packed(columns, own), null);
    }
  } finally {
    await counters.close();
  }
}

/** Of each process its shares, one for each of its threads. */
async function sharesOfAll(group: ProcessGroup, threads: number): Promise<readonly Shares[]> {
  const counts = await allGatherNumbers(group, threads);
  const offsets = offsetsOf(counts);
  const of = offsets.at(-1)!;
  return counts.map((_, rank) => ({ from: offsets[rank]!, to: offsets[rank + 1]!, of }));
}

/** All numbers of a log, in the order in which they are brought. */
function arraysOf({ clicks, shown, categories, pageViews, item }: CountedLog) {
  const events = (each: UserEvents) => [each.user, each.item, each.time];
  return [
    ...events(clicks),
    ...(shown === null ? [] : events(shown)),
    ...categories.map(({ codes }) => codes),
    pageViews.user,
    pageViews.time,
    pageViews.start,
    item,
  ];
}

/** Room for a log. */
function logOf({ settings, categories, clicks, shown, items, pageViews, exposures }: Told): CountedLog {
  const events = (count: number) => ({
    user: new Int32Array(count),
    item: new Int32Array(count),
    time: new Float64Array(count),
  });
  return {
    clicks: events(clicks),
    shown: shown === null ? null : events(shown),
    settings,
    categories: categories.map((name) => ({ name, codes: new Int32Array(items) })),
    pageViews: {
      user: new Int32Array(pageViews),
      time: new Float64Array(pageViews),
      start: new Int32Array(pageViews + 1),
    },
    item: new Int32Array(exposures),
  };
}

/** What a process brings of a part: some columns of some of its exposures, which are counted from the first of the part. */
interface Piece {
  readonly columns: readonly number[];
  readonly rows: Int32Array;
}

/** The pieces of each process, by rank. */
function piecesOf(
  log: CountedLog,
  groups: readonly ColumnGroup[],
  part: Part,
  shares: readonly Shares[],
): readonly (readonly Piece[])[] {
  const dealt = groups.map(({ of }) => dealRows(log, of, part, shares));
  return shares.map((_, rank) =>
    groups.map(({ columns }, place) => ({ columns, rows: dealt[place]![rank]! })),
  );
}

/** The exposures of a part by the process that has their keys of a kind. */
function dealRows(
  { pageViews: { user, start }, item, categories }: CountedLog,
  of: KeyKind,
  { from, to }: Part,
  shares: readonly Shares[],
): readonly Int32Array[] {
  const first = start[from]!;
  const rankOfShare = shares.flatMap((each, rank) => Array.from({ length: each.to - each.from }, () => rank));
  const ranks = new Int32Array(start[to]! - first);
  const counts = new Int32Array(shares.length);
  for (let view = from; view < to; view++) {
    for (let row = start[view]!; row < start[view + 1]!; row++) {
      const key = keyOf(of, user[view]!, item[row]!, categories);
      const rank = rankOfShare[key % rankOfShare.length]!;
      ranks[row - first] = rank;
      counts[rank]! += 1;
    }
  }
  const rows = Array.from(counts, (count) => new Int32Array(count));
  counts.fill(0);
  for (const [row, rank] of ranks.entries()) rows[rank]![counts[rank]!++] = row;
  return rows;
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { columns, rows }) => sum + columns.length * rows.length, 0);
}

/** Piece after piece, and in each column after column. */
function packed(columns: SharedColumns, pieces: readonly Piece[]): Float32Array {
  const values = new Float32Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    for (const place of piece.columns) {
      const column = columns[place]!;
      for (const row of piece.rows) values[at++] = column[row]!;
    }
  }
  return values;
}

/** Turns `packed` around. */
function spread(values: Float32Array, pieces: readonly Piece[], columns: SharedColumns): void {
  let at = 0;
  for (const piece of pieces) {
    for (const place of piece.columns) {
      const column = columns[place]!;
      for (const row of piece.rows) column[row] = values[at++]!;
    }
  }
}
