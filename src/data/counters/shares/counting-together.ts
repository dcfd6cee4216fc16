/**
 * Counters of several processes, each for its shares of the keys: the first one gives all the log, and puts their columns together, part
 * after part.
 */
import { askOthers } from '../../../collectives/errands.ts';
import { gatherBytes } from '../../../collectives/gather.ts';
import { offsetsOf, type ProcessGroup } from '../../../collectives/process-group.ts';
import { allGatherNumbers, broadcastJson } from '../../../collectives/texts.ts';
import type { UserEvents } from '../../clicks.ts';
import type { Part } from '../../parts.ts';
import { type ColumnGroup, CounterTables } from '../counter-tables.ts';
import type { CounterSettings } from '../counters.ts';
import { columnMemory } from './column-memory.ts';
import type { CountedLog, Counting, Shares } from './counted-log.ts';
import { countHere, countingThreads } from './counting.ts';

/** The errand of the others. */
export const counting = 'counting';

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
  await askOthers(group, counting);
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
  const { groups } = new CounterTables(log.categories, log.settings.withExposures);
  return {
    async fill(part, columns, signal) {
      await own.fill(part, columns, signal);
      const pieces = shares.map((one, rank) => (rank === 0 ? [] : piecesOf(log, groups, part, one)));
      const lengths = pieces.map((of) => lengthOf(of) * Float32Array.BYTES_PER_ELEMENT);
      const found = await gatherBytes(group, new Uint8Array(), lengths);
      for (const [rank, { buffer }] of found.entries())
        spread(new Float32Array(buffer), pieces[rank]!, columns);
    },
    close: () => own.close(),
  };
}

/** What the others do meanwhile. */
export async function countForFirst(group: ProcessGroup): Promise<void> {
  const told = await broadcastJson<Told | null>(group, null);
  if (told === null) throw new Error('there is nothing to count');
  const log = logOf(told);
  for (const values of arraysOf(log)) await group.broadcast(values);
  const shares = await sharesOfAll(group, countingThreads(Math.floor(told.exposures / group.size)));
  const own = shares[group.rank]!;
  const counters = countHere(log, own);
  const { names, groups } = new CounterTables(log.categories, log.settings.withExposures);
  const memory = columnMemory(names.length);
  try {
    for (const part of told.parts) {
      const columns = memory(log.pageViews.start[part.to]! - log.pageViews.start[part.from]!);
      await counters.fill(part, columns);
      const lengths = Array.from({ length: group.size }, () => 0);
      await gatherBytes(group, packed(columns, piecesOf(log, groups, part, own)), lengths);
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

function piecesOf(
  log: CountedLog,
  groups: readonly ColumnGroup[],
  part: Part,
  shares: Shares,
): readonly Piece[] {
  return groups.map(({ of, columns }) => ({ columns, rows: rowsOf(log, of, part, shares) }));
}

/** The exposures of a part of which the key is in some shares. */
function rowsOf(log: CountedLog, of: ColumnGroup['of'], { from, to }: Part, shares: Shares): Int32Array {
  const { pageViews, item, categories } = log;
  const { user, start } = pageViews;
  const codes = typeof of === 'number' ? categories[of]!.codes : null;
  const first = start[from]!;
  const rows = new Int32Array(start[to]! - first);
  let count = 0;
  for (let view = from; view < to; view++) {
    for (let row = start[view]!; row < start[view + 1]!; row++) {
      const key = of === 'user' ? user[view]! : codes === null ? item[row]! : codes[item[row]!]!;
      const share = key % shares.of;
      if (share >= shares.from && share < shares.to) rows[count++] = row - first;
    }
  }
  return rows.slice(0, count);
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { columns, rows }) => sum + columns.length * rows.length, 0);
}

/** Piece after piece, and in each column after column. */
function packed(columns: readonly Float32Array[], pieces: readonly Piece[]): Float32Array {
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
function spread(values: Float32Array, pieces: readonly Piece[], columns: readonly Float32Array[]): void {
  let at = 0;
  for (const piece of pieces) {
    for (const place of piece.columns) {
      const column = columns[place]!;
      for (const row of piece.rows) column[row] = values[at++]!;
    }
  }
}
