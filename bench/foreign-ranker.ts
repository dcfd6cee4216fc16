/**
 * From log to verdict in a ranker that is not ours: COURIER is pre-trained on the H&M sample (hm-v2), `features` writes its columns,
 * LightGBM learns without and with them, and `evaluate` judges its predictions.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readRecipe } from '../src/data/recipes.ts';
import { trainingCut } from '../src/data/samplers/training-cut.ts';
import { loadDataset } from '../src/data/store.ts';
import { known } from '../src/metrics/measured.ts';
import { compareConfig } from '../src/pipelines/compare/config.ts';
import { embed } from '../src/pipelines/embed/index.ts';
import { evaluate } from '../src/pipelines/evaluate/index.ts';
import { features } from '../src/pipelines/features/index.ts';
import { ingestConfig } from '../src/pipelines/ingest/config.ts';
import { ingest } from '../src/pipelines/ingest/index.ts';
import { pretrain } from '../src/pipelines/pretrain/index.ts';
import { withoutLearning } from '../src/report/report.ts';
import { exists } from '../src/storage/files.ts';
import type { Benchmark } from './benchmark.ts';
import { Peer } from './peer.ts';
import { rowOf } from './report.ts';

export const foreignRanker: Benchmark = async ({ data, say }) => {
  if (data === null || !(await exists(join(data, 'hm'))))
    return { rows: [], missing: ['the data of hm, a folder in that of --data'] };
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const at = (name: string) => join(folder, name);
  try {
    const recipe = await readRecipe('hm', join(data, 'hm'));
    await ingest(ingestConfig.parse({ ...recipe.ingest, out: at('dataset') }));
    const dataset = await loadDataset(at('dataset'));
    dataset.images.close();
    const { olderShare, pretrain: settings } = compareConfig.parse({
      ...recipe.compare,
      dataset: at('dataset'),
      out: at('run'),
    });
    const trained = await pretrain({ ...settings, olderShare, dataset: at('dataset'), out: at('run') });
    const { embeddings } = await embed({
      dataset: at('dataset'),
      encoder: trained.encoder,
      out: at('embeddings.parquet'),
    });
    const made = await features({ dataset: at('dataset'), embeddings, out: at('features.parquet') });
    say(`${made.description.rows} exposures with ${made.description.columns.length} columns`);
    const predictions = { without: at('without.parquet'), courier: at('courier.parquet') };
    const peer = await Peer.start('lightgbm', 'lightgbm_features.py', {
      features: made.parquet,
      description: made.json,
      from: trainingCut(dataset, olderShare) ?? 0,
      threads: availableParallelism(),
      without: predictions.without,
      with: predictions.courier,
    });
    if (peer === null) return { rows: [], missing: ['lightgbm'] };
    await peer.answer(z.object({ columns: z.array(z.string()).min(1) }));
    peer.stop();
    const { evaluation } = await evaluate({ dataset: at('dataset'), predictions, out: at('evaluation') });
    const lift = evaluation.rows.at(-1)?.lifts?.auc;
    const difference = lift === undefined ? null : known(lift.difference);
    const interval = lift === undefined ? null : known(lift.ci95);
    if (difference === null || interval === null) throw new Error('there is no lift');
    const points = (value: number) => [100 * value];
    const aucOf = (source: string | null) => {
      const row = evaluation.rows.find((each) => each.source === source && each.features !== withoutLearning);
      const summary = row === undefined ? null : known(row.auc);
      if (summary === null) throw new Error(`there is no AUC of ${source ?? 'the model without'}`);
      return [summary.mean];
    };
    return {
      rows: [
        rowOf('LightGBM without COURIER on hm-v2', 'AUC', 'higher', aucOf(null), {}),
        rowOf('LightGBM with COURIER on hm-v2', 'AUC', 'higher', aucOf('courier'), {}),
        rowOf('lift of LightGBM with COURIER on hm-v2', 'points of AUC', 'higher', points(difference), {}),
        rowOf('its 95 % interval, from', 'points of AUC', 'higher', points(interval[0]), {}),
        rowOf('its 95 % interval, to', 'points of AUC', 'higher', points(interval[1]), {}),
      ],
      missing: [],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
