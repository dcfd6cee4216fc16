/** Training speed by the size of the embedding table: the same log, its item numbers spread over the whole table. */
import { availableParallelism } from 'node:os';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { settings, startRanker } from './our-ranker.ts';
import { rankLog } from './rank-log.ts';
import { type Row, rowOf } from './report.ts';

const [small, large] = [100_000, 10_000_000];
const batches = { trained: 200, aRound: 100 };

export const rankTableSize: Benchmark = async ({ rounds, say }) => {
  const rates = new Map<number, number[]>([
    [large, []],
    [small, []],
  ]);
  const started = [];
  for (const items of rates.keys()) {
    const rows = batches.trained * settings.batchSize;
    const data = rankLog({ users: 10_000, items, rows });
    const all = Int32Array.from({ length: rows }, (_, row) => row);
    const engine = Engine.start({ threads: availableParallelism() });
    // Every item has an embedding, whether or not it was shown.
    const ranker = await startRanker(data, all, 1, engine, 0);
    say(`${ranker.tableRows} rows in the table`);
    started.push({ items, ranker, engine });
  }
  for (let round = -1; round < rounds; round++) {
    for (const { items, ranker } of started) {
      const seconds = await ranker.train(batches.aRound);
      if (round >= 0) rates.get(items)?.push((batches.aRound * settings.batchSize) / seconds);
    }
  }
  for (const { engine } of started) await engine.close();
  const peer = { [`${small} items`]: rates.get(small) ?? [] };
  const rows: Row[] = [rowOf(`DIN, ${large} items`, 'rows/s', 'higher', rates.get(large) ?? [], peer)];
  return { rows, missing: [] };
};
