/** Training steps by several processes with a core each, beside one process with as many cores: of encoders, and of a ranker. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Benchmark } from './benchmark.ts';
import { settings as rankerSettings } from './our-ranker.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const fileBeside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const programs = {
  encoder: fileBeside('./processes-program.ts'),
  ranker: fileBeside('./processes-ranker-program.ts'),
};
const answer = z.object({
  steps: z.array(z.object({ seconds: z.number(), found: z.record(z.string(), z.number()) })),
});

/** What a process may take: enough for one graph. */
const budget = 6 * 2 ** 30;
/** Steps of a round, and those of them that are not counted: memory is taken, and what repeats is compiled. */
const cases = [
  { what: 'vit-nano', photos: 1024, samples: 128, rounds: 4, warmUp: 1 },
  { what: 'head', photos: 2253, samples: 384, rounds: 50, warmUp: 10 },
];

/** Of a ranker: users and as many items of the log. */
const rankerCases = [{ size: 10_000 }, { size: 100_000 }];
const rankerSteps = 50;

export const processes: Benchmark = async ({ rounds, only, say }) => {
  const encoders = encoderRows(rounds, only, say);
  return { rows: [...encoders, ...rankerRows(rounds, only, say)], missing: [] };
};

type Say = Parameters<Benchmark>[0]['say'];

function encoderRows(rounds: number, only: string, say: Say): readonly Row[] {
  const cores = availableParallelism();
  const rows: Row[] = [];
  for (const each of cases) {
    const { warmUp, ...step } = each;
    const { what, photos, samples } = step;
    const name = `${what}, ${samples} samples, ${photos} photos`;
    if (!name.includes(only)) continue;
    const whole = { ...step, threads: cores, how: budget };
    const cut = { ...step, threads: cores, how: { chunk: 32, group: 4 } };
    const sides = {
      shared: [] as number[],
      one: [] as number[],
      cut: [] as number[],
      waited: [] as number[],
      summed: [] as number[],
    };
    for (let round = 0; round < rounds; round++) {
      const shared = run(cores, 'encoder', { ...step, threads: 1, how: budget }, warmUp);
      sides.shared.push(...shared.map(({ seconds }) => photos / seconds));
      const shareOf = (figure: string) => shared.map(({ seconds, found }) => found[figure]! / 1000 / seconds);
      sides.waited.push(...shareOf('communicationMs'));
      sides.summed.push(...shareOf('sumMs'));
      sides.one.push(...run(1, 'encoder', whole, warmUp).map(({ seconds }) => photos / seconds));
      sides.cut.push(...run(1, 'encoder', cut, warmUp).map(({ seconds }) => photos / seconds));
    }
    rows.push(
      rowOf(`${name}, ${cores} processes of a core`, 'photos/s', 'higher', sides.shared, {
        [`one process of ${cores}`]: sides.one,
        'that, cut': sides.cut,
      }),
      rowOf(`${name}, waiting for each other`, 'of a step', 'lower', sides.waited, {}),
      rowOf(`${name}, the sum of gradients, once all have come`, 'of a step', 'lower', sides.summed, {}),
    );
    for (const row of rows.slice(-3)) say(describeRow(row));
  }
  return rows;
}

/** DIN as in `rank-train`, its table in shards, beside one process with as many cores. */
function rankerRows(rounds: number, only: string, say: Say): readonly Row[] {
  const cores = availableParallelism();
  const rows: Row[] = [];
  const { batchSize } = rankerSettings;
  for (const { size } of rankerCases) {
    const name = `ranker, ${batchSize} exposures, ${size} users and items`;
    if (!name.includes(only)) continue;
    const settings = { size, batches: rankerSteps, rounds: 4 };
    const rate = ({ seconds }: { readonly seconds: number }) => (rankerSteps * batchSize) / seconds;
    const sides = {
      shared: [] as number[],
      one: [] as number[],
      waited: [] as number[],
      bytes: [] as number[],
    };
    for (let round = 0; round < rounds; round++) {
      const shared = run(cores, 'ranker', { ...settings, threads: 1 }, 1);
      sides.shared.push(...shared.map(rate));
      sides.waited.push(...shared.map(({ seconds, found }) => found['communicationMs']! / 1000 / seconds));
      sides.bytes.push(...shared.map(({ found }) => found['communicationBytes']! / rankerSteps / 1e6));
      sides.one.push(...run(1, 'ranker', { ...settings, threads: cores }, 1).map(rate));
    }
    rows.push(
      rowOf(`${name}, ${cores} processes of a core`, 'rows/s', 'higher', sides.shared, {
        [`one process of ${cores}`]: sides.one,
      }),
      rowOf(`${name}, waiting for each other`, 'of a step', 'lower', sides.waited, {}),
      rowOf(`${name}, arrays handed to collectives`, 'MB a step', 'lower', sides.bytes, {}),
    );
    for (const row of rows.slice(-3)) say(describeRow(row));
  }
  return rows;
}

/** @param warmUp steps that are not counted */
function run(count: number, program: keyof typeof programs, settings: object, warmUp: number) {
  const words = ['--import', 'tsx', programs[program], JSON.stringify(settings)];
  const started = [process.execPath, ...words];
  const [file, ...rest] = count === 1 ? started : ['mpirun', '-n', String(count), ...started];
  const { stdout, status } = spawnSync(file!, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${file} ended with ${status}`);
  return answer.parse(JSON.parse(stdout.toString('utf8'))).steps.slice(warmUp);
}
