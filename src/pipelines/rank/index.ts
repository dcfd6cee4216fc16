/** Ranking: dataset + features → CTR models, and the table that compares them. */
import { oneProcess } from '../../collectives/one-process.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { processGroup } from '../../collectives/world.ts';
import { parseConfig } from '../../config.ts';
import { CourierError } from '../../errors.ts';
import { diagnose, trainForDiagnosis } from '../../evaluation/diagnosis.ts';
import { givenRows, hashesOf, requireUsable } from '../../evaluation/given-embeddings.ts';
import { rankRows } from '../../evaluation/rank-rows.ts';
import { chooseSettings } from '../../evaluation/ranker-choice.ts';
import { trainsTogether } from '../../evaluation/ranker-sharing.ts';
import {
  type PlannedRow,
  RankerTrainer,
  requireAttention,
  requireColumns,
} from '../../evaluation/ranker-trainer.ts';
import { evaluationReport, reportOfFirst } from '../../evaluation/report.ts';
import { measuredStarts } from '../../evaluation/warm-start.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import { requireTrainable } from '../../rankers/train.ts';
import type { Report } from '../../report/report.ts';
import { Failures, plainly } from '../../runs/failures.ts';
import { withRunFolder } from '../../runs/run-folder.ts';
import { StageCosts } from '../../runs/stage-costs.ts';
import { withDataset } from '../../runs/with-dataset.ts';
import { type RankConfigInput, rankConfig } from './config.ts';
import { type ExportedRanker, exportRow } from './export.ts';

export interface Ranking {
  readonly report: Report;
  /** null where the settings ask for no export, and in all processes but the first. */
  readonly exported: ExportedRanker | null;
}

/**
 * Trains a CTR model without images and one per feature, and compares them on the test period. Processes that mpirun started together
 * share the models, through the run folder, or train each of them together where there are too few (`trainsTogether`).
 * @throws CourierError CONFIG_INVALID, OUTPUT_EXISTS, OUTPUT_IN_USE, SPLIT_EMPTY, TRAINING_DIVERGED and those of reading and
 * writing
 */
export async function rank(settings: RankConfigInput, options: WorkOptions = {}): Promise<Ranking> {
  const config = parseConfig(rankConfig, settings, 'rank configuration');
  const { dataset: folder, out, embeddings, export: exported, ...rest } = config;
  const { parallel, sliceBy, allowLeak, diagnosis: _, ...identity } = rest;
  const visual = config.features.filter((feature) => feature !== 'none');
  if (exported !== null && exported !== 'none' && !visual.includes(exported))
    throw exportUnknown(exported, visual);
  if (visual.length > 0 && Object.keys(embeddings).length === 0) throw embeddingsMissing(visual);
  requireAttention(visual, config);
  return withDataset(folder, async (dataset, engine) => {
    requireColumns(dataset, config);
    requireTrainable(dataset);
    // What cannot be used is told of before anything is trained.
    await requireUsable(dataset, embeddings, config.allowLeak);
    const settled = { ...identity, embeddings: await hashesOf(embeddings) };
    const run = { pipeline: 'rank', config: settled, datasetHash: dataset.hash };
    const rows = givenRows(embeddings, visual);
    const starts = measuredStarts(dataset, config);
    const group = await processGroup();
    const planned = [null, ...rows];
    const together = trainsTogether(dataset, planned, config, group) ? group : oneProcess;
    const evaluated = { ...config, starts };
    const trainer = new RankerTrainer(dataset, evaluated, engine, options.signal, { group: together });
    return withRunFolder(
      out,
      run,
      ({ startedAt }) => rankPlanned(trainer, planned, exported, startedAt, options, group),
      group,
    );
  });
}

/** @param exported features of the row to export; null for none */
async function rankPlanned(
  untuned: RankerTrainer,
  planned: readonly PlannedRow[],
  exported: string | null,
  startedAt: string,
  options: WorkOptions,
  group: ProcessGroup,
): Promise<Ranking> {
  const { progress = silent } = options;
  const costs = await StageCosts.open(untuned.config.out, group.rank);
  const chosen = await chooseSettings(untuned, costs, progress, group);
  const { trainer } = chosen;
  const runs = await rankRows(trainer, planned, costs, progress, plainly, group);
  await trainForDiagnosis(trainer, planned, planned, runs, progress, group);
  if (group.rank > 0) return { report: await reportOfFirst(group, null), exported: null };
  const alone = trainer.with({ group: oneProcess });
  // Whatever becomes of the diagnosis, the table is there.
  const failures = new Failures(progress, options.signal);
  const [seed = null] = trainer.config.seeds;
  const unit = { stage: 'diagnose', source: null, features: null, start: null, seed } as const;
  const diagnosis = await failures.attempt(unit, () => diagnose(alone, planned, runs, costs, progress));
  const evaluated = await evaluationReport(chosen, planned, runs, diagnosis, costs, startedAt, options);
  const report = await reportOfFirst(group, { ...evaluated, failures: failures.list });
  if (exported === null) return { report, exported: null };
  const row = planned.find((row) => (row?.features ?? 'none') === exported) ?? null;
  return { report, exported: await exportRow(alone, row, progress) };
}

function exportUnknown(exported: string, features: readonly string[]): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid rank configuration: \`export\` is ${exported}, which is not among the features that are trained.`,
    `Export one of ${['none', ...features].join(', ')}, or add it to \`features\`.`,
  );
}

function embeddingsMissing(features: readonly string[]): CourierError {
  return new CourierError(
    'CONFIG_INVALID',
    `Invalid rank configuration: features ${features.join(', ')} need \`embeddings\`.`,
    'Name the embeddings.parquet that embed wrote, or any file of item embeddings, or ask for the feature none alone.',
  );
}
