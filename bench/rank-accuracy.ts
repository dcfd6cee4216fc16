/** The AUC that training a Deep Interest Network leads to, against FuxiCTR's with the same settings. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { startRanker } from './our-ranker.ts';
import { Peer } from './peer.ts';
import { batchesAPass, forEachLog, type PreparedLog } from './rank-train-logs.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const [epochs, seeds] = [2, 3];

export const rankAccuracy: Benchmark = async ({ only, say }) => {
  const measured: Row[] = [];
  const missing = new Set<string>();
  await forEachLog(only, async (name, log) => {
    const { row, difference } = await accuracy(name, log, missing);
    measured.push(row);
    say(`${describeRow(row)}  |  ours − theirs, mean over seeds: ${difference.toFixed(5)}`);
  });
  return { rows: measured, missing: [...missing] };
};

/** AUC on held-out rows after the same passes over the same rows, a value a seed. */
async function accuracy(
  name: string,
  { data, train, heldOut, shared }: PreparedLog,
  missing: Set<string>,
): Promise<{ readonly row: Row; readonly difference: number }> {
  const peer = await Peer.start('fuxictr', 'fuxictr_din.py', { ...shared, epochs });
  const engine = Engine.start({ threads: availableParallelism() });
  const aucs: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let seed = 1; seed <= seeds; seed++) {
    const ours = await startRanker(data, train, seed, engine);
    await ours.train(epochs * batchesAPass);
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
