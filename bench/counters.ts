/**
 * Base features of a generated log of three million exposures, without reading or writing any: by one thread and by all cores, and by one of
 * several shares of the keys that has a core for itself, as on a machine of its own.
 */
import { usableCores } from '../src/cores.ts';
import { encodeCategories } from '../src/data/categories.ts';
import { BaseFeatures } from '../src/data/counters/base-features.ts';
import { counterColumns } from '../src/data/counters/counter-tables.ts';
import { columnMemory } from '../src/data/counters/shares/column-memory.ts';
import type { CountedLog } from '../src/data/counters/shares/counted-log.ts';
import { CounterShare } from '../src/data/counters/shares/counter-share.ts';
import { partsOf } from '../src/data/parts.ts';
import { Random } from '../src/random.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';

/** Page views of five over thirty days; popular items are shown more often. */
const [views, shown, users, items, days] = [600_000, 5, 200_000, 100_000, 30];
const brands = 500;

export const countersBench: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  for (const [name, categories] of [
    ['no category', 0],
    ['a category', 1],
  ] as const) {
    if (!name.includes(only)) continue;
    const log = generated(categories);
    const threads = usableCores();
    const sides = { one: [] as number[], all: [] as number[] };
    const shares = new Map([2, 4, 8, 16].map((of) => [of, [] as number[]]));
    for (let round = 0; round < rounds; round++) {
      sides.one.push(await secondsOf(log, 1));
      sides.all.push(await secondsOf(log, threads));
      for (const [of, seconds] of shares) seconds.push(secondsOfShare(log, of));
    }
    rows.push(rowOf(`${name}: ${threads} threads`, 's', 'lower', sides.all, { 'one thread': sides.one }));
    for (const [of, seconds] of shares)
      rows.push(rowOf(`${name}: one share of ${of}`, 's', 'lower', seconds, { 'all in one': sides.one }));
    for (const row of rows.slice(-1 - shares.size)) say(describeRow(row));
  }
  return { rows, missing: [] };
};

async function secondsOf(log: CountedLog, threads: number): Promise<number> {
  const parts = partsOf(log.pageViews.time, log.pageViews.start);
  const began = performance.now();
  let filled = 0;
  for await (const columns of new BaseFeatures({ ...log, numeric: [] }, { threads }).columnsOf(parts))
    filled += columns[0]!.length;
  if (filled !== log.item.length) throw new Error(`${filled} of ${log.item.length} exposures`);
  return (performance.now() - began) / 1000;
}

function secondsOfShare(log: CountedLog, of: number): number {
  const { time, start } = log.pageViews;
  const memory = columnMemory(counterColumns(log.categories, true).names.length);
  const share = new CounterShare(log, { place: 0, of });
  const began = performance.now();
  for (const part of partsOf(time, start))
    share.fill(part, memory(start[part.to]! - start[part.from]!), start[part.from]!);
  return (performance.now() - began) / 1000;
}

function generated(categories: number): CountedLog {
  const random = Random.seeded(1, 'counters');
  const exposures = views * shown;
  const time = Float64Array.from({ length: views }, (_, view) =>
    Math.floor((view * days * 86_400_000) / views),
  );
  const user = Int32Array.from({ length: views }, () => random.integer(users));
  const item = Int32Array.from({ length: exposures }, () => Math.floor(random.uniform() ** 2 * items));
  const viewOf = (row: number) => Math.floor(row / shown);
  const clicked = Int32Array.from(item.keys()).filter(() => random.uniform() < 0.1);
  const eventsAt = (rows: Int32Array) => ({
    user: rows.map((row) => user[viewOf(row)]!),
    item: rows.map((row) => item[row]!),
    time: Float64Array.from(rows, (row) => time[viewOf(row)]!),
  });
  const texts = Array.from({ length: items }, () => `brand ${random.integer(brands)}`);
  return {
    clicks: eventsAt(clicked),
    shown: eventsAt(Int32Array.from(item.keys())),
    settings: { withExposures: true, lag: 0, period: 1 },
    categories: Array.from({ length: categories }, () => encodeCategories('brand', texts)),
    pageViews: { user, time, start: Int32Array.from({ length: views + 1 }, (_, view) => view * shown) },
    item,
  };
}
