/** Peak resident size of a training step, by the size of its batch. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

const program = fileURLToPath(new URL('./memory-program.ts', import.meta.url));
const answer = z.object({ peak: z.number(), chunk: z.int(), group: z.int(), seconds: z.number() });
/** What `--memory` would say: too little for either batch at once. */
const budget = 2 * 2 ** 30;

export const memory: Benchmark = async ({ say }) => {
  const rows: Row[] = [];
  for (const samples of [256, 3072]) {
    const step = {
      encoder: 'vit-nano',
      side: 64,
      photos: samples * 10,
      samples,
      threads: availableParallelism(),
    };
    say(`${samples} samples, ${step.photos} photos`);
    const words = ['--import', 'tsx', program, JSON.stringify({ step, budget })];
    const { stdout, status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (status !== 0) throw new Error(`a step of ${samples} samples ended with ${status}`);
    const { peak, chunk, group, seconds } = answer.parse(JSON.parse(stdout.toString('utf8')));
    say(`  chunks of ${chunk}, ${group} at a time, ${seconds.toFixed(0)} s a step`);
    const name = `vit-nano 64 px, ${samples} samples, ${step.photos} photos`;
    rows.push(rowOf(name, 'GiB', 'lower', [peak / 2 ** 30], {}));
  }
  const growth = rows[1]!.ours / rows[0]!.ours;
  rows.push(rowOf('3072 over 256 samples', 'times', 'lower', [growth], {}));
  return { rows, missing: [] };
};
