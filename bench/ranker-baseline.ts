/**
 * Is the ranker without images a baseline to believe? Against LightGBM on the same columns, and against what counters say
 * without learning: on the generated shop, and on hm-v2 and ml1m where `--data` names a folder with `hm` and `ml1m` in it.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { pageViewOfRows } from '../src/data/dataset.ts';
import { loadDataset } from '../src/data/store.ts';
import { known } from '../src/metrics/measured.ts';
import { ingest } from '../src/pipelines/ingest/index.ts';
import { rank } from '../src/pipelines/rank/index.ts';
import { withoutLearning } from '../src/report/report.ts';
import { shopSource } from '../src/shop/files.ts';
import { generateShop } from '../src/shop/generate.ts';
import { exists } from '../src/storage/files.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { type Row, rowOf } from './report.ts';

const seeds = [1, 2, 3];
const cases = ['generated shop', 'hm', 'ml1m'] as const;
type Case = (typeof cases)[number];

/** Ten times the demo's: of its 450 test page views chance alone is more than a point of AUC. */
const largeShop = { pageViews: 45_000, shoppers: 3000, photoSide: 16 };

const answer = z.object({ auc: z.number(), validationAuc: z.number(), columns: z.string() });

export const rankerBaseline: Benchmark = async ({ only, data, say }) => {
  const rows: Row[] = [];
  const missing = new Set<string>();
  for (const name of cases) {
    if (!name.includes(only)) continue;
    const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
    try {
      if (!(await prepare(name, data, folder))) missing.add(`the data of ${name}`);
      else rows.push(...(await measure(name, folder, missing, say)));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { rows, missing: [...missing] };
};

/** @returns false where the data are not there */
async function prepare(name: Case, data: string | null, folder: string): Promise<boolean> {
  const out = join(folder, 'dataset');
  if (name === 'generated shop') {
    const files = await generateShop({ ...largeShop, out: join(folder, 'shop') });
    await ingest({ ...shopSource(files), out });
    return true;
  }
  if (data === null || !(await exists(join(data, name)))) return false;
  await ingest({ source: name, folder: join(data, name), out });
  return true;
}

async function measure(
  name: Case,
  folder: string,
  missing: Set<string>,
  say: (text: string) => void,
): Promise<readonly Row[]> {
  const dataset = join(folder, 'dataset');
  const settings = { dataset, out: join(folder, 'rank'), seeds, diagnosis: false, parallel: 1 };
  const { report } = await rank({ ...settings, ...(await cutOf(name)) });
  const trees = await treesOn(folder);
  if (trees === null) missing.add('lightgbm');
  else say(`${name}: LightGBM is best on ${trees.columns}, validation AUC ${trees.validationAuc.toFixed(4)}`);
  return report.rows.flatMap((row) => {
    const ours = known(row.auc)?.mean;
    if (row.features !== 'none' || ours === undefined) return [];
    const unlearned = report.rows.find((other) => other.features === withoutLearning);
    const counters = unlearned === undefined ? undefined : known(unlearned.auc)?.mean;
    if (trees !== null)
      say(`${name}, ${row.start}: ours − LightGBM ${(100 * (ours - trees.auc)).toFixed(2)} points of AUC`);
    return rowOf(`${name}, ${row.start}, mean of ${seeds.length} seeds`, 'AUC', 'higher', [ours], {
      ...(trees === null ? {} : { LightGBM: [trees.auc] }),
      ...(counters === undefined ? {} : { 'no learning': [counters] }),
    });
  });
}

/** Those of MovieLens' example, where it matters which days are the newer ones. */
async function cutOf(name: Case): Promise<{ readonly olderShare?: number }> {
  if (name !== 'ml1m') return {};
  const example: unknown = JSON.parse(
    await readFile(new URL('../examples/ml1m.json', import.meta.url), 'utf8'),
  );
  return z.object({ olderShare: z.number() }).parse(example);
}

/** What LightGBM reaches on the columns that a ranker without images has; null where it is not installed. */
async function treesOn(folder: string): Promise<z.infer<typeof answer> | null> {
  const loaded = await loadDataset(join(folder, 'dataset'));
  const { exposures, catalogue, pageViews } = loaded;
  loaded.images.close();
  const { item, clicked, numeric, numericNames, context } = exposures;
  const pageViewOf = pageViewOfRows(loaded);
  const columns = [
    ...catalogue.categories.map(({ codes }) => item.map((one) => codes[one]!)),
    ...context.map(({ codes }) => codes),
  ];
  const categorical = new Int32Array(item.length * columns.length);
  for (const [place, codes] of columns.entries())
    for (let row = 0; row < item.length; row++) categorical[row * columns.length + place] = codes[row]!;
  const write = async (name: string, values: NodeJS.TypedArray) => {
    const path = join(folder, `${name}.bin`);
    await writeFile(path, values);
    return path;
  };
  const peer = await Peer.start('lightgbm', 'lightgbm_ranker.py', {
    numericNames,
    numeric: await write('numeric', numeric),
    categorical: await write('categorical', categorical),
    labels: await write('labels', clicked),
    split: await write(
      'split',
      Uint8Array.from(pageViewOf, (view) => pageViews.split[view]!),
    ),
    threads: availableParallelism(),
  });
  if (peer === null) return null;
  try {
    return await peer.answer(answer);
  } finally {
    peer.stop();
  }
}
