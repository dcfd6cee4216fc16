/** Speed of training a Deep Interest Network on a click log in memory, against FuxiCTR's. `rank-accuracy` has the AUC it leads to. */
import { availableParallelism } from 'node:os';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { settings, startRanker } from './our-ranker.ts';
import { Peer } from './peer.ts';
import { forEachLog, type PreparedLog } from './rank-train-logs.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const stepsARound = 100;

export const rankTrain: Benchmark = async ({ rounds, only, say }) => {
  const measured: Row[] = [];
  const missing = new Set<string>();
  await forEachLog(only, async (name, log) => {
    measured.push(await speed(name, log, rounds, missing));
    say(describeRow(measured.at(-1)!));
  });
  return { rows: measured, missing: [...missing] };
};

/** Rows per second of both sides, which take turns. */
async function speed(
  name: string,
  { data, train, shared }: PreparedLog,
  rounds: number,
  missing: Set<string>,
): Promise<Row> {
  const peer = await Peer.start('fuxictr', 'fuxictr_din.py', { ...shared, steps: stepsARound });
  const engine = Engine.start({ threads: availableParallelism() });
  const ours = await startRanker(data, train, 1, engine);
  const rates: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  const rate = (seconds: number) => (stepsARound * settings.batchSize) / seconds;
  for (let round = -1; round < rounds; round++) {
    const [own, other] = [await ours.train(stepsARound), await peer?.round()];
    if (round < 0) continue;
    rates.ours.push(rate(own));
    if (other !== undefined) rates.theirs.push(rate(other));
  }
  await engine.close();
  peer?.stop();
  if (peer === null) missing.add('fuxictr');
  return rowOf(name, 'rows/s', 'higher', rates.ours, peer === null ? {} : { fuxictr: rates.theirs });
}
