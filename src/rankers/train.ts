/** Training of a ranker: steps on shuffled exposures, early stopping on the validation split, one test. */

import type { VisualFeature } from '../data/visual-feature.ts';
import { CourierError } from '../errors.ts';
import { auc } from '../metrics/auc.ts';
import { known, type Measured, measure } from '../metrics/measured.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import type { Engine } from '../runtime/engine.ts';
import { BatchAssembler } from './batch.ts';
import type { RankerConfig } from './config.ts';
import { type RankerData, rowsOfSplit } from './fields.ts';
import { gatesOf, RankerModel, type RankerState } from './model.ts';

export interface RankerTraining {
  readonly dataset: RankerData;
  /** What images give; null for a ranker without images. */
  readonly feature: VisualFeature | null;
  readonly config: RankerConfig;
  readonly seed: number;
  readonly engine: Engine;
  readonly progress: Progress;
  /** A ranker without images, trained on the same data, to go on from; null to begin from nothing. */
  readonly start: RankerState | null;
}

export interface CurvePoint {
  readonly step: number;
  /** Mean training loss since the point before; null before the first step. */
  readonly loss: number | null;
  /** null where it is undefined. */
  readonly validationAuc: number | null;
}

/** How far a category lets the visual side through. */
export interface Gate {
  readonly category: string;
  /** In [0, 1]. */
  readonly opening: number;
  /** Test exposures of the category. */
  readonly exposures: number;
}

export interface RankerResult {
  /** Exposures of the test split, ascending. */
  readonly testRows: Int32Array;
  /** Probability of a click on each of them, by the weights that were kept. */
  readonly testScores: Float32Array;
  /** Of the weights that were kept; a gap where the validation split does not hold both classes. */
  readonly validationAuc: Measured;
  readonly curve: readonly CurvePoint[];
  readonly steps: number;
  readonly seconds: number;
  /** By descending number of test exposures; none without images. */
  readonly gates: readonly Gate[];
}

/** A ranker after training, still in memory. The caller releases the model. */
export interface TrainedRanker {
  readonly result: RankerResult;
  readonly model: RankerModel;
  readonly assembler: BatchAssembler;
  readonly feature: VisualFeature | null;
  /** That with the best validation AUC, or the last one where that is undefined. */
  readonly state: RankerState;
}

/**
 * Trains a ranker on the training split. The AUC on the validation split decides when to stop and which
 * weights to keep, those it started from among them; where it is undefined, training goes on to its last step and
 * keeps the weights of that. The test split is scored once, at the end. The same arguments give the same scores.
 *
 * @throws CourierError SPLIT_EMPTY as `requireTrainable` does, VALUE_INVALID for a column that is not finite,
 *   TRAINING_DIVERGED when the loss is not finite
 */
export async function trainRanker(training: RankerTraining): Promise<TrainedRanker> {
  const { dataset, feature, config, seed, engine, start } = training;
  const started = performance.now();
  const train = requireTrainable(dataset);
  const [validation, test] = [rowsOfSplit(dataset, 'validation'), rowsOfSplit(dataset, 'test')];
  const assembler = new BatchAssembler(dataset, feature, train, config);
  const model = await RankerModel.create(assembler, config, seed, engine, start);
  try {
    const labels = Uint8Array.from(validation, (row) => dataset.exposures.clicked[row]!);
    const validate = async () => {
      const scores = await model.score(validation);
      return measure(() => auc(scores, labels));
    };
    const { curve, best, steps } = await trainUntilStale(model, assembler, train, validate, training);
    await model.restore(best.state);
    const testScores = await model.score(test);
    const seconds = (performance.now() - started) / 1000;
    const gates = gatesOnTest(gatesOf(best.state), assembler, dataset, test);
    const { validationAuc, state } = best;
    const result = { testRows: test, testScores, validationAuc, curve, steps, seconds, gates };
    return { result, model, assembler, feature, state };
  } catch (error) {
    await model.release();
    throw error;
  }
}

interface Best {
  readonly validationAuc: Measured;
  readonly state: RankerState;
}

/** Steps until the epochs are over or `patience` evaluations in a row have brought no better AUC. Without one the last is the best. */
async function trainUntilStale(
  model: RankerModel,
  assembler: BatchAssembler,
  trainRows: Int32Array,
  validate: () => Promise<Measured>,
  { config, seed, feature, progress, start }: RankerTraining,
): Promise<{ curve: readonly CurvePoint[]; best: Best; steps: number }> {
  const stage = `Train ${config.ranker}, ${feature?.name ?? 'none'}`;
  const perEpoch = Math.ceil(trainRows.length / config.batchSize);
  const interval = Math.ceil(perEpoch / config.evaluationsPerEpoch);
  const total = perEpoch * config.epochs;
  const purpose = start === null ? 'ranker batches' : 'ranker batches, going on';
  const batches = shuffledBatches(trainRows, config.batchSize, Random.seeded(seed, purpose));
  const nextBatch = () => assembler.assemble(batches.next().value);
  const curve: CurvePoint[] = [];
  let best: Best | null = null;
  let [lossSum, steps, sinceBest] = [0, 0, 0];
  const evaluate = async () => {
    const validationAuc = await validate();
    const since = steps - (curve.at(-1)?.step ?? 0);
    const loss = steps === 0 ? null : lossSum / since;
    curve.push({ step: steps, loss, validationAuc: known(validationAuc) });
    progress({ kind: 'advance', stage, done: steps, detail: aucText(validationAuc) });
    lossSum = 0;
    sinceBest++;
    if (best !== null && !isBetter(validationAuc, best.validationAuc)) return;
    best = { validationAuc, state: await model.state() };
    sinceBest = 0;
  };
  progress({ kind: 'start', stage, total, unit: 'steps' });
  if (start !== null) await evaluate();
  let upcoming = nextBatch();
  while (steps < total && sinceBest < config.patience) {
    const running = model.train(upcoming);
    // Assembled while the compute thread is busy with the batch before.
    upcoming = nextBatch();
    const loss = await running;
    steps++;
    if (!Number.isFinite(loss)) throw diverged(steps, loss);
    lossSum += loss;
    if (steps % interval === 0 || steps === total) await evaluate();
  }
  const kept = requireBest(best);
  progress({ kind: 'end', stage, detail: aucText(kept.validationAuc) });
  return { curve, best: kept, steps };
}

function isBetter(one: Measured, other: Measured): boolean {
  return one.kind === 'undefined' || other.kind === 'undefined' || one.value > other.value;
}

function aucText(validationAuc: Measured): string {
  return validationAuc.kind === 'value'
    ? `validation AUC ${validationAuc.value.toFixed(4)}`
    : `no validation AUC, the last weights are kept: ${validationAuc.why}`;
}

function requireBest(best: Best | null): Best {
  if (best === null) throw new Error('training ended without an evaluation');
  return best;
}

function gatesOnTest(
  openings: Float32Array,
  { gate }: BatchAssembler,
  { exposures }: RankerData,
  testRows: Int32Array,
): readonly Gate[] {
  const counts = new Int32Array(gate.values.length);
  for (const row of testRows) counts[gate.codes[exposures.item[row]!]!]! += 1;
  return Array.from(openings, (opening, code) => {
    return { category: gate.values[code] ?? '', opening, exposures: counts[code]! };
  })
    .filter(({ exposures }) => exposures > 0)
    .sort((a, b) => b.exposures - a.exposures || (a.category < b.category ? -1 : 1));
}

/** Batches without end: all rows in a new random order, then all of them in another. */
function* shuffledBatches(rows: Int32Array, batchSize: number, random: Random): Generator<Int32Array, never> {
  const order = rows.slice();
  while (true) {
    random.shuffle(order);
    for (let from = 0; from < order.length; from += batchSize) yield order.slice(from, from + batchSize);
  }
}

/**
 * Refuses a dataset that no ranker can learn from. What cannot be measured on the other splits is a gap of the report.
 * @returns the exposures of the training split
 * @throws CourierError SPLIT_EMPTY when the training split does not hold clicked and unclicked exposures
 */
export function requireTrainable(dataset: RankerData): Int32Array {
  const rows = rowsOfSplit(dataset, 'train');
  const clicks = rows.reduce((sum, row) => sum + dataset.exposures.clicked[row]!, 0);
  if (clicks > 0 && clicks < rows.length) return rows;
  throw new CourierError(
    'SPLIT_EMPTY',
    `The training split has ${clicks} clicked and ${rows.length - clicks} unclicked exposures; a ranker learns from both.`,
    'Check the column of clicks, or ingest the dataset again with other split dates or a longer log.',
  );
}

function diverged(step: number, loss: number): CourierError {
  return new CourierError(
    'TRAINING_DIVERGED',
    `The ranker's loss became ${loss} at step ${step}.`,
    'Lower `learningRate` or `tableLearningRate`.',
  );
}
