/** Rankers that we never saw, by their predictions: the same table, intervals and slices as of our own. */
import { join } from 'node:path';
import { parseConfig } from '../../config.ts';
import { type Dataset, pageViewOfRows } from '../../data/dataset.ts';
import { closeDataset, loadDataset, loadLoggedTables, readLogRows } from '../../data/store.ts';
import { CourierError } from '../../errors.ts';
import { type RankerRun, tableRows } from '../../evaluation/table.ts';
import { unlearnedRows } from '../../evaluation/unlearned.ts';
import { reliabilityTable } from '../../metrics/calibration.ts';
import { measure } from '../../metrics/measured.ts';
import type { WorkOptions } from '../../progress.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import type { Evaluation, ModelCoverage } from '../../report/evaluation.ts';
import { evaluationPage } from '../../report/evaluation-page.ts';
import { checkFinite } from '../../report/write.ts';
import { requireReadable, writeFileWhole, writeJson } from '../../storage/files.ts';
import { withOutputFolder } from '../../storage/lock.ts';
import { percent } from '../../text.ts';
import { type EvaluateConfig, type EvaluateConfigInput, evaluateConfig } from './config.ts';
import { readOneTable } from './one-table.ts';
import type { Predicted, PredictedModel } from './predicted.ts';
import { type LogPlaces, readPredictions } from './predictions.ts';

export const evaluationFiles = { json: 'evaluation.json', html: 'evaluation.html' } as const;

export interface EvaluationResult {
  /** Paths of the files written. */
  readonly json: string;
  readonly html: string;
  readonly evaluation: Evaluation;
}

/**
 * Measures predictions of other rankers on the test period of a dataset, or on the exposures of one file: of those that every model
 * predicts, each model against the first.
 * @throws CourierError CONFIG_INVALID, those of reading dataset and predictions, VALUE_INVALID where too few exposures have a
 * prediction, OUTPUT_IN_USE, OUTPUT_NOT_WRITABLE
 */
export async function evaluate(
  settings: EvaluateConfigInput,
  options: WorkOptions = {},
): Promise<EvaluationResult> {
  const config = parseConfig(evaluateConfig, settings, 'evaluate configuration');
  for (const path of Object.values(config.predictions)) await requireReadable(path, 'Predictions');
  const { exposures } = config;
  if (exposures !== undefined) await requireReadable(exposures, 'Exposures');
  const evaluation =
    exposures === undefined
      ? await judgeOnDataset(config, options)
      : await judge(await readOneTable(exposures, config), config, options);
  checkFinite(evaluation, 'evaluation');
  const [json, html] = [join(config.out, evaluationFiles.json), join(config.out, evaluationFiles.html)];
  return withOutputFolder(config.out, async () => {
    await writeJson(json, evaluation);
    await writeFileWhole(html, evaluationPage(evaluation));
    return { json, html, evaluation };
  });
}

async function judgeOnDataset(config: EvaluateConfig, options: WorkOptions): Promise<Evaluation> {
  const { dataset: folder = '' } = config;
  const dataset = await loadDataset(folder);
  try {
    return await judge(await joined(dataset, folder, config), config, options);
  } finally {
    closeDataset(dataset);
  }
}

/** Predictions of files, by the exposures of the test period of a dataset. */
async function joined(
  dataset: Dataset,
  folder: string,
  { predictions, score }: EvaluateConfig,
): Promise<Predicted> {
  const rows = rowsOfSplit(dataset, 'test');
  const places = await placesOf(folder);
  const models: PredictedModel[] = [];
  for (const [model, path] of Object.entries(predictions)) {
    const found = await readPredictions(path, dataset, rows, places, score);
    models.push({ model, ...found });
  }
  return { data: dataset, hash: dataset.hash, rows, models };
}

/** The table over the exposures of which every model says something. */
async function judge(
  { data, hash, rows: all, models: predicted }: Predicted,
  config: EvaluateConfig,
  options: WorkOptions,
): Promise<Evaluation> {
  const { command = 'called as a library' } = options;
  const scores = new Map(predicted.map(({ model, scores }) => [model, scores]));
  const models = predicted.map(({ scores, ...model }): ModelCoverage => {
    const known = scores.reduce((sum, score) => sum + (Number.isNaN(score) ? 0 : 1), 0);
    return { ...model, share: known / all.length };
  });
  const [baseline = ''] = scores.keys();
  const isKnown = (_: unknown, place: number) =>
    [...scores.values()].every((each) => !Number.isNaN(each[place]!));
  const rows = all.filter(isKnown);
  requireEnough(rows.length, all.length, models, config.minimumShare);
  const runs = [...scores].map(([model, each]): RankerRun => {
    const isBaseline = model === baseline;
    const result = {
      testRows: rows,
      testScores: each.filter(isKnown),
      validationAuc: { kind: 'undefined', why: 'Predictions of the test period say nothing of it.' } as const,
      curve: [],
      steps: 0,
      seconds: 0,
      gates: [],
    };
    return {
      source: isBaseline ? null : model,
      features: isBaseline ? null : 'predictions',
      start: 'warm',
      seed: 1,
      result,
    };
  });
  const measured = await tableRows(runs, data, { sliceBy: config.sliceBy }, options);
  const pageViewOf = pageViewOfRows(data);
  const labels = Uint8Array.from(rows, (row) => data.exposures.clicked[row]!);
  return {
    title: `Rankers compared on ${data.name}`,
    dataset: data.name,
    datasetHash: hash,
    command,
    startedAt: new Date().toISOString(),
    baseline,
    testRows: rows.length,
    testUsers: new Set(Array.from(rows, (row) => data.pageViews.user[pageViewOf[row]!]!)).size,
    allRows: all.length,
    models,
    rows: [
      ...unlearnedRows(data, rows, ['warm']),
      ...measured.map((row) => (row.source === null ? { ...row, features: baseline } : row)),
    ],
    reliability: [...scores].map(([model, each]) => {
      return { model, bins: measure(() => reliabilityTable(each.filter(isKnown), labels)) };
    }),
  };
}

async function placesOf(folder: string): Promise<LogPlaces | null> {
  const rows = await readLogRows(folder);
  const { logged } = (await loadLoggedTables(folder)).exposures;
  return rows === null || logged === null ? null : { log: rows.log, row: logged.row, time: logged.time };
}

function requireEnough(
  known: number,
  all: number,
  models: readonly ModelCoverage[],
  minimumShare: number,
): void {
  if (known > 0 && known >= minimumShare * all) return;
  const shares = models.map(({ model, share, keys }) => `${model} ${percent(share)} (by ${keys.join(', ')})`);
  throw new CourierError(
    'VALUE_INVALID',
    `Of ${all} test exposures ${percent(known / all)} have a prediction of every model: ${shares.join('; ')}.`,
    'Check that the keys are those of the dataset (`features` writes log and log_row) and that every model predicts the same exposures; or lower `minimumShare` if it is right so.',
  );
}
