/** A checkpoint of 3 GiB, larger than what Node reads, writes or hashes in one piece: time and peak resident size. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

const program = fileURLToPath(new URL('./checkpoint-program.ts', import.meta.url));
const gibibyte = 2 ** 30;
const answerSchema = z.object({ seconds: z.number().positive(), peak: z.number().positive() });
type Answer = z.infer<typeof answerSchema>;

/** In this order: the others need what the first one wrote. */
const actions = [
  { name: 'write', title: 'write, hash included' },
  { name: 'hash', title: 'hash of the file' },
  { name: 'read', title: 'read and check' },
  { name: 'resume', title: 'resume from' },
] as const;

export const checkpoint: Benchmark = async ({ rounds, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const path = join(folder, 'checkpoint.safetensors');
  try {
    const measured = actions.map((action) => {
      const answers: Answer[] = [];
      return { ...action, answers };
    });
    for (let round = 1; round <= rounds; round++) {
      for (const { name, title, answers } of measured) {
        answers.push(run(name, path));
        say(`  round ${round}, ${title}: ${JSON.stringify(answers.at(-1))}`);
      }
    }
    const { size } = await stat(path);
    return { rows: measured.flatMap(({ title, answers }) => rowsOf(title, answers, size)), missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

function rowsOf(title: string, answers: readonly Answer[], size: number): Row[] {
  const name = `checkpoint of ${(size / gibibyte).toFixed(1)} GiB, ${title}`;
  const seconds = answers.map((answer) => answer.seconds);
  const rates = seconds.map((each) => size / gibibyte / each);
  const peaks = answers.map(({ peak }) => peak / gibibyte);
  return [
    rowOf(name, 's', 'lower', seconds, {}),
    rowOf(name, 'GiB/s', 'higher', rates, {}),
    rowOf(`${name}, peak memory`, 'GiB', 'lower', peaks, {}),
  ];
}

function run(action: string, path: string): Answer {
  const words = ['--import', 'tsx', program, action, path];
  const { stdout, status } = spawnSync(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${action} ended with ${status}`);
  return answerSchema.parse(JSON.parse(stdout.toString('utf8')));
}
