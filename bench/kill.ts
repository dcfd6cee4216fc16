/**
 * Every command stopped by every signal at random moments, and run again: whether it ends with the artefacts of an
 * undisturbed run and leaves nothing over, and how long a stop takes. A round is one stop by each signal.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../src/random.ts';
import { shopSource } from '../src/shop/files.ts';
import { generateShop } from '../src/shop/generate.ts';
import { artefactsOf, leftoversOf } from '../test/support/artefacts.ts';
import { ended, startCourier } from '../test/support/program.ts';
import { tinyPretraining } from '../test/support/tiny-dataset.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const signals = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const;

/** Share of a command in which its program is only being loaded, and there is nothing to disturb. */
const beginning = 0.3;

/** What one stop and the run after it came to. */
interface Outcome {
  /** null where the signal does not ask but end, or came before the program could hear it. */
  readonly secondsToStop: number | null;
  readonly resumed: boolean;
  /** Artefacts that are not those of an undisturbed run. */
  readonly differing: readonly string[];
  readonly left: readonly string[];
}

export const kill: Benchmark = async ({ rounds, only, say }) => {
  const root = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const rows: Row[] = [];
  try {
    const commands = await prepare(root);
    for (const [name, words] of commands) {
      if (!name.includes(only)) continue;
      say(name);
      const outcomes = await stopOften(root, name, words, rounds, say);
      for (const row of rowsOf(name, outcomes)) {
        rows.push(row);
        say(describeRow(row));
      }
    }
    return { rows, missing: [] };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
};

/** What the commands need, made by those before them; the words of each, which write below the folder they work in. */
async function prepare(root: string): Promise<readonly (readonly [string, readonly string[]])[]> {
  const shop = { items: 120, shoppers: 20, pageViews: 400, photoSide: 32 };
  const files = await generateShop({ ...shop, out: join(root, 'shop') });
  const made = join(root, 'made');
  await mkdir(made);
  const dataset = ['--dataset', join(made, 'dataset')];
  const embeddings = ['--embeddings', join(made, 'embeddings.parquet')];
  const ranker = { epochs: 1, batchSize: 256 };
  const pretrain = { ...tinyPretraining, steps: 16 };
  const settings = {
    ingest: { ...shopSource(files), side: 16 },
    pretrain,
    rank: { ranker },
    compare: {
      ranker,
      pretrain,
      starts: ['warm'],
      codes: { clusters: [5], semanticLevels: 1 },
    },
    tune: { pretrain, budget: 3, space: { batchSize: [8, 16], patch: [4, 8], candidates: [2, 3] } },
  };
  const config = (name: keyof typeof settings) => ['--config', join(root, `${name}.json`)];
  for (const [name, value] of Object.entries(settings))
    await writeFile(join(root, `${name}.json`), JSON.stringify(value));
  const commands = [
    ['ingest', [...config('ingest'), '--out', 'dataset']],
    ['pretrain', [...config('pretrain'), ...dataset, '--out', 'run']],
    ['embed', [...dataset, '--encoder', join(made, 'run', 'encoder.onnx'), '--out', 'embeddings.parquet']],
    [
      'cluster',
      [
        ...dataset,
        ...embeddings,
        '--clusters',
        '5,12',
        '--semantic-levels',
        '2',
        '--semantic-codes',
        '4',
        '--out',
        'clusters',
      ],
    ],
    [
      'rank',
      [...config('rank'), ...dataset, ...embeddings, '--features', 'sim-score,vector', '--out', 'rank'],
    ],
    [
      'compare',
      [
        ...config('compare'),
        ...dataset,
        '--sources',
        'courier,hog',
        '--features',
        'cluster-id',
        '--seeds',
        '1',
        '--out',
        'compare',
      ],
    ],
    ['tune', [...config('tune'), ...dataset, '--out', 'tune']],
  ] as const;
  for (const [name, words] of commands.slice(0, 3)) await finish(made, [name, ...words]);
  return commands;
}

async function stopOften(
  root: string,
  name: string,
  words: readonly string[],
  rounds: number,
  say: (text: string) => void,
): Promise<readonly Outcome[]> {
  const undisturbed = join(root, `${name}-undisturbed`);
  await mkdir(undisturbed);
  const started = performance.now();
  await finish(undisturbed, [name, ...words]);
  const seconds = (performance.now() - started) / 1000;
  const wanted = await artefactsOf(undisturbed);
  const random = Random.seeded(1, `stops of ${name}`);
  const outcomes: Outcome[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const signal of signals) {
      const folder = join(root, `${name}-${round}-${signal}`);
      await mkdir(folder);
      const after = seconds * (beginning + (1 - beginning) * random.uniform());
      const outcome = await stopOnce(folder, [name, ...words], signal, after, wanted);
      if (!outcome.resumed || outcome.differing.length + outcome.left.length > 0)
        say(`  ${signal} after ${after.toFixed(2)} s: ${JSON.stringify(outcome)}`);
      outcomes.push(outcome);
      await rm(folder, { recursive: true });
    }
  }
  return outcomes;
}

async function stopOnce(
  folder: string,
  words: readonly string[],
  signal: (typeof signals)[number],
  after: number,
  wanted: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const child = startCourier(words, folder);
  const end = ended(child);
  await Promise.race([sleep(1000 * after), end]);
  const asked = performance.now();
  child.kill(signal);
  const { code } = await end;
  const seconds = (performance.now() - asked) / 1000;
  const again = await ended(startCourier(words, folder));
  const found = await artefactsOf(folder);
  return {
    secondsToStop: code === 1 ? seconds : null,
    resumed: again.code === 0,
    differing: Object.keys({ ...found, ...wanted }).filter((path) => found[path] !== wanted[path]),
    left: await leftoversOf(folder),
  };
}

async function finish(folder: string, words: readonly string[]): Promise<void> {
  const { code, stderr } = await ended(startCourier(words, folder));
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
}

function rowsOf(name: string, outcomes: readonly Outcome[]): readonly Row[] {
  const count = (is: (outcome: Outcome) => boolean) => outcomes.filter(is).length;
  const of = `of ${outcomes.length} stops`;
  const stops = outcomes.flatMap(({ secondsToStop }) => secondsToStop ?? []);
  return [
    rowOf(`${name}, run again to the end`, of, 'higher', [count(({ resumed }) => resumed)], {}),
    rowOf(
      `${name}, the same artefacts`,
      of,
      'higher',
      [count(({ differing }) => differing.length === 0)],
      {},
    ),
    rowOf(`${name}, nothing left over`, of, 'higher', [count(({ left }) => left.length === 0)], {}),
    ...(stops.length === 0 ? [] : [rowOf(`${name}, until it stopped`, 's', 'lower', stops, {})]),
  ];
}
