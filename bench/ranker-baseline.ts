/**
 * Is the ranker without images a baseline to believe? Against LightGBM on the same columns, and against what counters say
 * without learning.
 */

import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { pageViewOfRows } from '../src/data/dataset.ts';
import { closeDataset, loadDataset } from '../src/data/store.ts';
import { known } from '../src/metrics/measured.ts';
import { rank } from '../src/pipelines/rank/index.ts';
import { withoutLearning } from '../src/report/report.ts';
import { numbersOf } from '../test/support/numbers.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { type RankDataset, withRankDatasets } from './rank-datasets.ts';
import { type Row, rowOf } from './report.ts';

const seeds = [1, 2, 3];
const answer = z.object({ auc: z.number(), validationAuc: z.number(), columns: z.string() });

export const rankerBaseline: Benchmark = async ({ only, data, say }) => {
  const rows: Row[] = [];
  const missing = new Set<string>();
  const absent = await withRankDatasets(data, only, async (dataset) => {
    rows.push(...(await measure(dataset, missing, say)));
  });
  return { rows, missing: [...absent, ...missing] };
};

async function measure(
  { name, dataset, folder, settings }: RankDataset,
  missing: Set<string>,
  say: (text: string) => void,
): Promise<readonly Row[]> {
  const out = join(folder, 'rank');
  const { report } = await rank({ ...settings, dataset, out, seeds, diagnosis: false, parallel: 1 });
  const trees = await treesOn(dataset, folder);
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

/** What LightGBM reaches on the columns that a ranker without images has; null where it is not installed. */
async function treesOn(dataset: string, folder: string): Promise<z.infer<typeof answer> | null> {
  const loaded = await loadDataset(dataset);
  const { exposures, catalogue, pageViews } = loaded;
  const { item, clicked, numeric, context } = exposures;
  const numbers = numbersOf(exposures);
  closeDataset(loaded);
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
    numericNames: numeric.names,
    numeric: await write('numeric', numbers),
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
