/** What the best ranker with images rests on. Of the validation split, since the test period is read once. */

import { join } from 'node:path';
import { z } from 'zod';
import { doneByFirst } from '../collectives/order.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { columnsOfCategory } from '../data/counters/counter-tables.ts';
import { withoutColumns } from '../data/counters/numeric-rows.ts';
import type { Dataset } from '../data/dataset.ts';
import { reliabilityTable } from '../metrics/calibration.ts';
import { known, type Measured, measure, measuredSchema } from '../metrics/measured.ts';
import { type Summary, summarise, summariseMeasured } from '../metrics/summary.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import { permutationImportance } from '../rankers/importance.ts';
import type { RankerResult } from '../rankers/train.ts';
import type { Diagnosis } from '../report/report.ts';
import { type Attempt, endsEverything } from '../runs/failures.ts';
import type { StageCosts } from '../runs/stage-costs.ts';
import { exists, readInput, writeJson } from '../storage/files.ts';
import { parseJson } from '../storage/json.ts';
import { KeptRankers } from './kept-rankers.ts';
import { trainRows } from './rank-rows.ts';
import { type PlannedRow, RankerTrainer, type VisualRow } from './ranker-trainer.ts';
import type { RankerRun } from './table.ts';

const summarySchema = z.object({ mean: z.number(), std: z.number().nullable() });

const diagnosisSchema = z.object({
  features: z.string(),
  source: z.string(),
  seed: z.number(),
  importance: measuredSchema(z.array(z.object({ input: z.string(), visual: z.boolean(), loss: z.number() }))),
  gates: z.array(z.object({ category: z.string(), opening: z.number(), exposures: z.number() })),
  reliability: measuredSchema(
    z.array(z.object({ meanPrediction: z.number(), observedRate: z.number(), count: z.number() })),
  ),
  withoutCategories: measuredSchema(
    z.array(z.object({ categories: z.boolean(), none: summarySchema, withImages: summarySchema })),
  ),
});

/**
 * Looks into the row with images that has the best validation AUC, or into the first where that is undefined. Its rankers
 * begin warm, whatever the table's do.
 * What was computed is kept in the run folder: rankers that lie there are read, the others are kept like them.
 * @returns null where there is no row with images, or the configuration does not ask for it
 */
export async function diagnose(
  trainer: RankerTrainer,
  rows: readonly PlannedRow[],
  runs: readonly RankerRun[],
  costs: StageCosts,
  progress: Progress,
): Promise<Diagnosis | null> {
  const row = bestRow(rows, runs);
  if (!trainer.config.diagnosis || row === null) return null;
  const path = join(trainer.config.out, 'diagnosis.json');
  if (await exists(path)) {
    const stored = diagnosisSchema.safeParse(
      parseJson((await readInput(path, 'Diagnosis')).toString('utf8')),
    );
    // A row that failed and was made good since may be the best now.
    if (stored.success && stored.data.features === row.features && stored.data.source === row.source)
      return stored.data;
  }
  const stage = 'Diagnose';
  const started = performance.now();
  progress({ kind: 'start', stage, total: 2, unit: 'parts' });
  const looked = await lookInto(trainer, row);
  progress({ kind: 'advance', stage, done: 1, detail: 'importance, gates, reliability' });
  const made: Diagnosis = {
    ...looked,
    withoutCategories: await whereDefined(looked.importance, () => inComparison(trainer, row)),
  };
  progress({ kind: 'end', stage });
  await writeJson(path, made);
  await costs.add(stage, (performance.now() - started) / 1000, 'what the ranker rests on');
  return made;
}

/**
 * Trains what `diagnose` is going to look at where several processes share that; what fails is told of then.
 * @param planned all rows, the same in all processes
 * @param rows those that are diagnosed, with their runs; the first process knows them
 */
export async function trainForDiagnosis(
  trainer: RankerTrainer,
  planned: readonly PlannedRow[],
  rows: readonly PlannedRow[],
  runs: readonly RankerRun[],
  progress: Progress,
  group: ProcessGroup,
): Promise<void> {
  if (group.size === 1 || !trainer.config.diagnosis) return;
  const place = await doneByFirst(group, async () => planned.indexOf(bestRow(rows, runs)));
  const row = planned[place] ?? null;
  if (row === null) return;
  const { dataset, config, engine, signal, folder, group: together } = trainer;
  const warm = new RankerTrainer(dataset, { ...config, starts: ['warm'] }, engine, signal, {
    folder,
    chosen: new Map([['warm', trainer.settingsOf('warm')]]),
    group: together,
  });
  const attempt: Attempt = (_, work) =>
    work().catch((thrown: unknown) => {
      if (endsEverything(thrown, signal)) throw thrown;
      return null;
    });
  const others = dataset.catalogue.categories.length === 0 ? [] : [bareTrainer(warm)];
  for (const each of [warm, ...others]) await trainRows(each, [null, row], progress, attempt, group);
}

/** What takes more of the validation AUC, computed only where that is defined, which the labels alone decide. */
async function whereDefined<T>(auc: Measured<unknown>, compute: () => Promise<T>): Promise<Measured<T>> {
  return auc.kind === 'undefined' ? auc : { kind: 'value', value: await compute() };
}

/** The row whose rankers have the best mean validation AUC, among those that began warm if there are any. */
function bestRow(rows: readonly PlannedRow[], runs: readonly RankerRun[]): VisualRow | null {
  const warm = runs.filter(({ start }) => start === 'warm');
  const considered = warm.length > 0 ? warm : runs;
  let best: { readonly row: VisualRow; readonly auc: number } | null = null;
  for (const row of rows) {
    if (row === null) continue;
    const own = considered.filter(
      ({ source, features }) => source === row.source && features === row.features,
    );
    const mean = known(summariseMeasured(own.map(({ result }) => result.validationAuc)))?.mean;
    const auc = mean ?? Number.NEGATIVE_INFINITY;
    if (best === null || auc > best.auc) best = { row, auc };
  }
  return best?.row ?? null;
}

/** Importance, gates and reliability of the first seed's ranker. */
async function lookInto(trainer: RankerTrainer, row: VisualRow) {
  const { dataset } = trainer;
  const seed = trainer.config.seeds[0]!;
  const kept = new KeptRankers(trainer);
  const { gates, validationAuc } = await kept.result(row, 'warm', seed);
  const { scorer, assembler, release } = await kept.ready(row);
  try {
    const validation = rowsOfSplit(dataset, 'validation');
    const labels = Uint8Array.from(validation, (exposure) => dataset.exposures.clicked[exposure]!);
    const scores = await scorer.score(validation);
    const random = Random.seeded(seed, 'importance');
    return {
      features: row.features,
      source: row.source,
      seed,
      importance: await whereDefined(validationAuc, () =>
        permutationImportance(scorer, assembler, dataset, validation, row.features, random),
      ),
      gates,
      reliability: measure(() => reliabilityTable(scores, labels)),
    };
  } finally {
    await release();
  }
}

/** Validation AUC with and without images, on the whole data and without what categories tell. */
async function inComparison(trainer: RankerTrainer, row: VisualRow) {
  if (trainer.dataset.catalogue.categories.length === 0) return [];
  return [
    { categories: true, ...(await validationAucs(trainer, row)) },
    { categories: false, ...(await validationAucs(bareTrainer(trainer), row)) },
  ];
}

/** Trains rankers that know no category. */
function bareTrainer(trainer: RankerTrainer): RankerTrainer {
  const { dataset, config, engine, signal, folder, group } = trainer;
  const settings = { ...config, diagnosis: false, export: null };
  return new RankerTrainer(withoutCategories(dataset), settings, engine, signal, {
    folder: join(folder, 'without-categories'),
    chosen: new Map([['warm', { ...trainer.settingsOf('warm'), gateCategory: null }]]),
    group,
  });
}

/** Of rankers that began warm. */
async function validationAucs(
  trainer: RankerTrainer,
  row: VisualRow,
): Promise<{ readonly none: Summary; readonly withImages: Summary }> {
  const kept = new KeptRankers(trainer);
  const [none, withImages]: [number[], number[]] = [[], []];
  for (const seed of trainer.config.seeds) {
    none.push(definedAuc(await kept.result(null, 'warm', seed)));
    withImages.push(definedAuc(await kept.result(row, 'warm', seed)));
  }
  return { none: summarise(none), withImages: summarise(withImages) };
}

/** Of a ranker that is only asked where the AUC is defined. */
function definedAuc({ validationAuc }: RankerResult): number {
  if (validationAuc.kind === 'undefined') throw new Error(validationAuc.why);
  return validationAuc.value;
}

/** The dataset as if the catalogue had no categories: without their ids, and without their counters. */
function withoutCategories(dataset: Dataset): Dataset {
  const { catalogue, exposures } = dataset;
  const told = new Set(catalogue.categories.flatMap(({ name }) => columnsOfCategory(name)));
  return {
    ...dataset,
    catalogue: { ...catalogue, categories: [] },
    exposures: { ...exposures, numeric: withoutColumns(exposures.numeric, (name) => told.has(name)) },
  };
}
