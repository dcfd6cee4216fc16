/** An embedding table in WebAssembly against the same in JavaScript: the lookups of a batch of `rank-train`, with Adam. */
import { Random } from '../src/random.ts';
import { EmbeddingTable } from '../src/rankers/embedding-table.ts';
import { sparseOptimizers } from '../src/rankers/sparse-optimizers.ts';
import type { Benchmark } from './benchmark.ts';
import { settings } from './our-ranker.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const sizes = [10_000, 100_000, 10_000_000];
/** Users and contexts of an exposure, fields of an item, history places. */
const [situation, fields, places] = [4, 3, 20];
const lookups = settings.batchSize * (situation + fields * (1 + places));
/** Rows of users, contexts and categories, before those of items. */
const others = 10_300;
const batchesARound = 30;

export const embeddingTable: Benchmark = async ({ rounds, only, say }) => {
  const rows: Row[] = [];
  for (const items of sizes) {
    const name = `${items} items`;
    if (!name.includes(only)) continue;
    const tables = [true, false].map((byWebAssembly) => tableOf(items, byWebAssembly));
    const random = Random.seeded(1, 'lookups');
    const gradient = Float32Array.from(
      { length: lookups * settings.embeddingDimension },
      () => 0.01 * random.normal(),
    );
    const times = tables.map(() => ({ lookUp: [0], update: [0] }));
    for (let round = -1; round < rounds; round++) {
      const batches = Array.from({ length: batchesARound }, () => batchOf(items, random));
      for (const [side, table] of tables.entries()) {
        const { lookUp, update } = run(table, batches, gradient);
        if (round === 0) times[side] = { lookUp: [], update: [] };
        times[side]?.lookUp.push(lookUp);
        times[side]?.update.push(update);
      }
    }
    for (const part of ['lookUp', 'update'] as const) {
      const [ours, theirs] = times.map((side) => side[part]);
      rows.push(rowOf(`${name}, ${part}`, 'ms', 'lower', ours ?? [], { JavaScript: theirs ?? [] }));
      say(describeRow(rows.at(-1)!));
    }
  }
  return { rows, missing: [] };
};

function tableOf(items: number, byWebAssembly: boolean): EmbeddingTable {
  const options = {
    rows: others + items,
    dimension: settings.embeddingDimension,
    lookups,
    optimizer: sparseOptimizers.adam,
    learningRate: settings.learningRate,
    decay: 0,
  };
  return new EmbeddingTable(options, Random.seeded(1, 'table'), byWebAssembly);
}

/** Rows of a batch of exposures, three quarters of whose histories are filled. */
function batchOf(items: number, random: Random): Int32Array {
  const rows = new Int32Array(lookups);
  let at = 0;
  for (let exposure = 0; exposure < settings.batchSize; exposure++) {
    rows[at++] = 1 + random.integer(10_000);
    for (let context = 1; context < situation; context++) rows[at++] = 10_001 + random.integer(78);
    for (let place = 0; place <= places; place++, at += fields) {
      if (place > 0 && random.uniform() < 0.25) continue;
      rows[at] = others + random.integer(items);
      rows[at + 1] = 10_100 + random.integer(20);
      rows[at + 2] = 10_150 + random.integer(10);
    }
  }
  return rows;
}

/** @returns the smallest times of a batch, in milliseconds: others may be working on this machine */
function run(table: EmbeddingTable, batches: readonly Int32Array[], gradient: Float32Array) {
  let [lookUp, update] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const rows of batches) {
    const start = performance.now();
    table.lookUp(rows);
    const between = performance.now();
    table.update(table.prepareUpdate(rows), gradient);
    lookUp = Math.min(lookUp, between - start);
    update = Math.min(update, performance.now() - between);
  }
  return { lookUp, update };
}
