/**
 * The comparison: embedding sources × features × seeds → the table that says whether images pay off.
 *
 * Every ranker has the same base features; the rows differ in what images add. All are scored once on the
 * test period.
 */
import { join } from 'node:path';
import { parseConfig } from '../config.ts';
import type { Dataset } from '../data/dataset.ts';
import { exists } from '../files.ts';
import type { Report } from '../report/report.ts';
import type { Engine } from '../runtime/engine.ts';
import { type AttendedClick, attendClicks } from './attention.ts';
import { type CompareConfig, type CompareConfigInput, compareConfig } from './compare-config.ts';
import { pretrainCurves } from './curves.ts';
import { diagnose } from './diagnosis.ts';
import {
  embeddingSources,
  embeddingsFile,
  produceEmbeddings,
  type SourceName,
  sourceFolder,
} from './embedding-sources.ts';
import {
  type EvaluationOptions,
  evaluationReport,
  type PlannedRow,
  RankerTrainer,
  rankRows,
  requireColumns,
} from './evaluation.ts';
import { chooseExamples } from './examples.ts';
import { attentionFile } from './pretrain.ts';
import { openRunFolder } from './run-folder.ts';
import { StageCosts } from './stage-costs.ts';
import { loadItemEmbeddings } from './visual-inputs.ts';
import { withDataset } from './with-dataset.ts';

export interface Comparison {
  readonly report: Report;
  /** The test clicks as the first seed's COURIER rebuilt them; empty without COURIER. */
  readonly attended: readonly AttendedClick[];
}

/**
 * Computes what the run folder does not hold yet, and the report over all of it.
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, SPLIT_EMPTY, METRIC_UNDEFINED, TRAINING_DIVERGED,
 * INTERRUPTED and those of reading and writing
 */
export async function compare(settings: CompareConfigInput, options: EvaluationOptions): Promise<Comparison> {
  const config = parseConfig(compareConfig, settings, 'compare configuration');
  return withDataset(config.dataset, (dataset, engine) => compareOn(dataset, config, engine, options));
}

async function compareOn(
  dataset: Dataset,
  config: CompareConfig,
  engine: Engine,
  options: EvaluationOptions,
): Promise<Comparison> {
  requireColumns(dataset, config);
  const { dataset: _, out, ...identity } = config;
  const run = { pipeline: 'compare', config: identity, datasetHash: dataset.hash };
  const { startedAt } = await openRunFolder(out, run);
  const costs = await StageCosts.open(out);
  await embedWithEverySource(dataset, config, engine, costs, options);
  const rows = config.objectives.flatMap((source) =>
    config.features.map((features): PlannedRow => {
      return {
        source,
        features,
        embeddings: (seed) => join(sourceFolder(out, source, seed), embeddingsFile),
      };
    }),
  );
  const planned = [null, ...rows];
  const trainer = new RankerTrainer(dataset, config, engine, options.signal);
  const cells = await rankRows(trainer, planned, costs, options.progress);
  const diagnosis = await diagnose(trainer, planned, cells);
  const attended = await attendTestClicks(dataset, config, engine);
  const report = evaluationReport(trainer, cells, diagnosis, costs, { ...options, startedAt });
  const curves = [...(await pretrainCurves(config)), ...report.curves];
  return {
    report: { ...report, curves, examples: await chooseExamples(dataset, attended, config.examples) },
    attended,
  };
}

async function embedWithEverySource(
  dataset: Dataset,
  config: CompareConfig,
  engine: Engine,
  costs: StageCosts,
  { progress, signal }: EvaluationOptions,
): Promise<void> {
  for (const source of config.objectives) {
    // A source that no seed changes is computed once.
    for (const seed of embeddingSources[source].seeded ? config.seeds : [null]) {
      const folder = sourceFolder(config.out, source, seed ?? 0);
      const stage = stageOf(source, seed);
      if (costs.has(stage) && (await exists(join(folder, embeddingsFile)))) continue;
      const pretrain = { ...config.pretrain, dataset: config.dataset, out: folder, seed: seed ?? 0 };
      await costs.measure(stage, async () => {
        await produceEmbeddings(source, { dataset, folder, pretrain, engine, progress, signal });
        return `${dataset.images.count} photos`;
      });
    }
  }
}

function stageOf(source: SourceName, seed: number | null): string {
  const verb = source === 'courier' ? 'Pre-train and embed' : 'Embed';
  return seed === null ? `${verb}: ${source}` : `${verb}: ${source}, seed ${seed}`;
}

async function attendTestClicks(
  dataset: Dataset,
  config: CompareConfig,
  engine: Engine,
): Promise<readonly AttendedClick[]> {
  const [seed] = config.seeds;
  if (!config.objectives.includes('courier') || seed === undefined) return [];
  const folder = sourceFolder(config.out, 'courier', seed);
  const embeddings = await loadItemEmbeddings(dataset, join(folder, embeddingsFile));
  return attendClicks(
    dataset,
    'test',
    embeddings,
    join(folder, attentionFile),
    config.pretrain.history,
    engine,
  );
}
