/**
 * Generated click logs without photos, ingested: time and memory against DuckDB that reads, sorts by time and writes the rows of
 * the same log, and against DuckDB that does so with the rows of the dataset, which have the base features beside; then a load.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

const program = fileURLToPath(new URL('./ingest-program.ts', import.meta.url));
const answer = z.object({ seconds: z.number().positive(), peak: z.number() });

/** Events of each log; users and items grow no further. */
const sizes = [1_000_000, 10_000_000, 30_000_000];

export const ingestBench: Benchmark = async ({ rounds, only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const rows: Row[] = [];
  const perEvent = new Map<number, number[]>();
  try {
    for (const events of sizes) {
      const name = `${events / 1_000_000} million events`;
      if (!name.includes(only)) continue;
      const run = (task: string) => runTask(task, folder, events, say);
      run('generate');
      const ours: Answer[] = [];
      const log: Answer[] = [];
      const whole: Answer[] = [];
      for (let round = 0; round < rounds; round++) {
        log.push(run('sort the log'));
        ours.push(run('ingest'));
        whole.push(run('sort the dataset'));
      }
      const seconds = (answers: readonly Answer[]) => answers.map((each) => each.seconds);
      const gigabytes = (answers: readonly Answer[]) => answers.map(({ peak }) => peak / 2 ** 30);
      perEvent.set(
        events,
        seconds(ours).map((each) => each / events),
      );
      const peers = { 'DuckDB, the log': log, 'DuckDB, the dataset': whole };
      const of = (figures: (answers: readonly Answer[]) => number[]) =>
        Object.fromEntries(Object.entries(peers).map(([peer, answers]) => [peer, figures(answers)]));
      rows.push(rowOf(`ingest ${name}`, 's', 'lower', seconds(ours), of(seconds)));
      rows.push(rowOf(`ingest ${name}, resident`, 'GiB', 'lower', gigabytes(ours), of(gigabytes)));
      const load = run('load');
      rows.push(rowOf(`load ${name}`, 's', 'lower', [load.seconds], {}));
      rows.push(rowOf(`load ${name}, resident`, 'GiB', 'lower', gigabytes([load]), {}));
    }
    const [least, most] = [perEvent.get(sizes[0]!), perEvent.get(sizes.at(-1)!)];
    if (least !== undefined && most !== undefined)
      rows.push(
        rowOf(
          'time of an event, of the largest log in those of the smallest',
          '',
          'lower',
          most.map((each, round) => each / least[round]!),
          {},
        ),
      );
    return { rows, missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

type Answer = z.infer<typeof answer>;

function runTask(task: string, folder: string, events: number, say: (text: string) => void): Answer {
  const words = ['--import', 'tsx', program, task, folder, `${events}`];
  const { stdout, status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${task} ended with ${status}`);
  const found = answer.parse(JSON.parse(stdout.toString('utf8')));
  say(`  ${task}: ${found.seconds.toFixed(2)} s, ${(found.peak / 2 ** 30).toFixed(2)} GiB`);
  return found;
}
