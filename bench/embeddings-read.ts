/**
 * A large file of embeddings: how fast it is read into typed memory, against DuckDB summing the same values of the same
 * file, how much memory that takes, and whether everything that reads it does so within Node's default heap.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

const program = fileURLToPath(new URL('./embeddings-read-program.ts', import.meta.url));
const answer = z.object({ seconds: z.number().positive(), peak: z.number() });

const [items, dimension] = [1_500_000, 256];
const dataBytes = items * dimension * Float32Array.BYTES_PER_ELEMENT;

/** Files of others, of so many rows: what is read of them is float32, whatever they hold. */
const others = ['float16 npy', 'int8 npy', 'float16 safetensors', 'int8 safetensors', 'int8 Parquet'];
const otherItems = 1_000_000;
const otherBytes = otherItems * dimension * Float32Array.BYTES_PER_ELEMENT;

export const embeddingsRead: Benchmark = async ({ rounds, only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const path = join(folder, 'embeddings.parquet');
  const run = (task: string) => runTask(task, path, say);
  try {
    const rows: Row[] = [];
    if (ownTasks.some((task) => task.includes(only))) rows.push(...rowsOf('write', [run('write')]));
    for (const what of ['vectors', 'vectors and ids']) {
      if (!`read ${what}`.includes(only)) continue;
      const [ours, scans]: [Answer[], Answer[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        scans.push(run(`scan ${what}`));
        ours.push(run(`read ${what}`));
      }
      rows.push(...rowsOf(`read ${what}`, ours, scans));
    }
    for (const task of wholeTasks) {
      if (!task.includes(only)) continue;
      if (task === 'rank') run('ingest');
      rows.push(...rowsOf(task, [run(task)]));
    }
    for (const kind of others) {
      const title = `read ${kind}, ${otherItems.toLocaleString('en-US')} × ${dimension}`;
      if (!title.includes(only)) continue;
      const file = join(folder, `theirs.${kind.replace(/^.* /, '').toLowerCase()}`);
      runTask(`write ${kind}`, file, say, otherItems);
      const task = kind.endsWith('Parquet') ? 'read vectors and ids' : 'read matrix';
      const read = runTask(task, file, say, otherItems);
      const { size } = await stat(file);
      rows.push(rowOf(title, 's', 'lower', [read.seconds], {}));
      rows.push(rowOf(title, 'times the data as float32', 'lower', [read.peak / otherBytes], {}));
      rows.push(rowOf(title, 'times the file', 'lower', [read.peak / size], {}));
      await rm(file);
    }
    return { rows, missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

type Answer = z.infer<typeof answer>;

const wholeTasks = ['embed again', 'cluster', 'rank'];
const ownTasks = ['read vectors', 'read vectors and ids', ...wholeTasks];

function runTask(task: string, path: string, say: (text: string) => void, count = items): Answer {
  const words = ['--import', 'tsx', program, task, path, `${count}`, `${dimension}`];
  const { stdout, status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${task} ended with ${status}`);
  const found = answer.parse(JSON.parse(stdout.toString('utf8')));
  const times = found.peak / (count * dimension * Float32Array.BYTES_PER_ELEMENT);
  say(`  ${task}: ${found.seconds.toFixed(2)} s, ${times.toFixed(3)} times the data`);
  return found;
}

/** Time, and what memory grew by at most. */
function rowsOf(name: string, ours: readonly Answer[], scans: readonly Answer[] = []): readonly Row[] {
  const seconds = (answers: readonly Answer[]) => answers.map((each) => each.seconds);
  const peaks = ours.map(({ peak }) => peak / dataBytes);
  const title = `${name}, ${items.toLocaleString('en-US')} × ${dimension}`;
  return [
    rowOf(title, 's', 'lower', seconds(ours), scans.length > 0 ? { 'DuckDB sums': seconds(scans) } : {}),
    rowOf(title, 'times the data', 'lower', peaks, {}),
  ];
}
