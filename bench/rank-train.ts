/** Training a Deep Interest Network on a click log in memory, against FuxiCTR's: speed, and the AUC it leads to. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { settings, startRanker } from './our-ranker.ts';
import { Peer } from './peer.ts';
import { rankLog, writeColumns } from './rank-log.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const batches = { trained: 1000, heldOut: 50, aRound: 100 };
const trained = batches.trained * settings.batchSize;
const rows = trained + batches.heldOut * settings.batchSize;

/** FuxiCTR's optimiser goes through all embeddings at each step, ours through those of the batch. */
const cases = [
  { users: 10_000, items: 10_000 },
  { users: 100_000, items: 100_000 },
];
const [epochs, seeds] = [2, 3];

export const rankTrain: Benchmark = async ({ rounds, only, say }) => {
  const measured: Row[] = [];
  const missing = new Set<string>();
  for (const size of cases) {
    const name = `DIN, ${size.users} users, ${size.items} items`;
    if (!name.includes(only)) continue;
    say(name);
    const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
    try {
      const log = await prepare(size, folder);
      measured.push(await speed(name, log, rounds, missing));
      say(describeRow(measured.at(-1)!));
      const { row, difference } = await accuracy(name, log, missing);
      measured.push(row);
      say(`${describeRow(row)}  |  ours − theirs, mean over seeds: ${difference.toFixed(5)}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { rows: measured, missing: [...missing] };
};

async function prepare(size: { readonly users: number; readonly items: number }, folder: string) {
  const data = rankLog({ ...size, rows });
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const threads = availableParallelism();
  const columns = await writeColumns(data, folder);
  const shared = { ...columns, ...settings, trained, threads };
  return { data, train: all.subarray(0, trained), heldOut: all.subarray(trained), threads, shared };
}

type Log = Awaited<ReturnType<typeof prepare>>;

/** Rows per second of both sides, which take turns. */
async function speed(
  name: string,
  { data, train, threads, shared }: Log,
  rounds: number,
  missing: Set<string>,
): Promise<Row> {
  const peer = await Peer.start('fuxictr', 'fuxictr_din.py', { ...shared, steps: batches.aRound });
  const engine = Engine.start({ threads });
  const ours = await startRanker(data, train, 1, engine);
  const rates: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  const rate = (seconds: number) => (batches.aRound * settings.batchSize) / seconds;
  for (let round = -1; round < rounds; round++) {
    const [own, other] = [await ours.train(batches.aRound), await peer?.round()];
    if (round < 0) continue;
    rates.ours.push(rate(own));
    if (other !== undefined) rates.theirs.push(rate(other));
  }
  await engine.close();
  peer?.stop();
  if (peer === null) missing.add('fuxictr');
  return rowOf(name, 'rows/s', 'higher', rates.ours, peer === null ? {} : { fuxictr: rates.theirs });
}

/** AUC on held-out rows after the same passes over the same rows, a value a seed. */
async function accuracy(
  name: string,
  { data, train, heldOut, threads, shared }: Log,
  missing: Set<string>,
): Promise<{ readonly row: Row; readonly difference: number }> {
  const peer = await Peer.start('fuxictr', 'fuxictr_din.py', { ...shared, epochs });
  const engine = Engine.start({ threads });
  const aucs: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let seed = 1; seed <= seeds; seed++) {
    const ours = await startRanker(data, train, seed, engine);
    await ours.train(epochs * batches.trained);
    aucs.ours.push(await ours.auc(heldOut));
    await ours.stop();
    const answer = await peer?.answer(z.object({ auc: z.number() }));
    if (answer !== undefined) aucs.theirs.push(answer.auc);
  }
  await engine.close();
  peer?.stop();
  if (peer === null) missing.add('fuxictr');
  const title = `${name}, ${epochs} epochs, ${seeds} seeds`;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    row: rowOf(title, 'AUC', 'higher', aucs.ours, peer === null ? {} : { fuxictr: aucs.theirs }),
    difference: mean(aucs.ours) - mean(aucs.theirs),
  };
}
