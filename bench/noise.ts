/**
 * Twenty sets of random vectors in place of embeddings, each a row of one table: what the instrument finds where there is
 * nothing to find. At 5 % one of twenty is expected, and more than three would be a fault.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeEmbeddings } from '../src/data/embeddings/embeddings.ts';
import { loadDataset } from '../src/data/store.ts';
import { evaluationSettings } from '../src/evaluation/config.ts';
import { rankRows } from '../src/evaluation/rank-rows.ts';
import { chooseSettings } from '../src/evaluation/ranker-choice.ts';
import { RankerTrainer, type VisualRow } from '../src/evaluation/ranker-trainer.ts';
import { tableRows } from '../src/evaluation/table.ts';
import { known } from '../src/metrics/measured.ts';
import { silent } from '../src/progress.ts';
import { Random } from '../src/random.ts';
import { StageCosts } from '../src/runs/stage-costs.ts';
import { Engine } from '../src/runtime/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { type RankDataset, withRankDatasets } from './rank-datasets.ts';
import { type Row, rowOf } from './report.ts';

const [sets, seeds, dimension] = [20, [1, 2, 3], 64];

export const noise: Benchmark = async ({ only, data, say }) => {
  const rows: Row[] = [];
  const missing = await withRankDatasets(data, only, async (dataset) => {
    const { found, lifts } = await measure(dataset);
    say(`${dataset.name}: lifts from ${points(Math.min(...lifts))} to ${points(Math.max(...lifts))} points`);
    rows.push(rowOf(`${dataset.name}, sets of noise found at 5 %`, `of ${sets}`, 'lower', [found], {}));
  });
  return { rows, missing };
};

async function measure({ dataset: path, folder, settings }: RankDataset) {
  const dataset = await loadDataset(path);
  dataset.images.close();
  const noises: VisualRow[] = [];
  for (let set = 1; set <= sets; set++) {
    const own = join(folder, `noise-${set}.parquet`);
    await writeNoise(own, dataset.catalogue.ids, set);
    noises.push({ source: `noise ${set}`, features: 'sim-score', embeddings: () => own });
  }
  const out = join(folder, 'noise');
  await mkdir(out);
  const given = { ...settings, starts: ['warm'], diagnosis: false, parallel: 1 };
  const config = { ...z.object(evaluationSettings).parse(given), out, seeds };
  const engine = Engine.start({ threads: 2 });
  try {
    const untuned = new RankerTrainer(dataset, config, engine, undefined);
    const { trainer } = await chooseSettings(untuned, await StageCosts.open(config.out));
    const runs = await rankRows(trainer, [null, ...noises], await StageCosts.open(out), silent);
    const lifts = (await tableRows(runs, dataset, config)).flatMap(({ lifts }) => lifts?.auc ?? []);
    return {
      found: lifts.filter(({ p }) => (known(p) ?? 1) < 0.05).length,
      lifts: lifts.flatMap(({ difference }) => known(difference) ?? []),
    };
  } finally {
    await engine.close();
  }
}

async function writeNoise(path: string, ids: readonly string[], seed: number): Promise<void> {
  const random = Random.seeded(seed, 'noise');
  const vectors = new Float32Array(ids.length * dimension);
  for (let item = 0; item < ids.length; item++) {
    const own = Float64Array.from({ length: dimension }, () => random.normal());
    vectors.set(
      own.map((value) => value / Math.hypot(...own)),
      item * dimension,
    );
  }
  await writeEmbeddings(path, { ids, dimension, vectors });
}

function points(difference: number): string {
  return (100 * difference).toFixed(2);
}
