/** Training of a ranker: steps on shuffled exposures, early stopping on the validation split, one test. */
import { CourierError } from '../errors.ts';
import type { VisualFeature } from '../features/feature.ts';
import { auc } from '../metrics/auc.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import type { Engine } from '../runtime/engine.ts';
import { BatchAssembler } from './batch.ts';
import type { RankerConfig } from './config.ts';
import { DenseColumns } from './dense-columns.ts';
import { Fields, type RankerData, rowsOfSplit } from './fields.ts';
import { RankerModel, type RankerWeights } from './model.ts';

export interface RankerTraining {
  readonly dataset: RankerData;
  /** What images give; null for a ranker without images. */
  readonly feature: VisualFeature | null;
  readonly config: RankerConfig;
  readonly seed: number;
  readonly engine: Engine;
  readonly progress: Progress;
}

export interface CurvePoint {
  readonly step: number;
  /** Mean training loss since the point before. */
  readonly loss: number;
  readonly validationAuc: number;
}

export interface RankerResult {
  /** Exposures of the test split, ascending. */
  readonly testRows: Int32Array;
  /** Probability of a click on each of them, by the weights with the best validation AUC. */
  readonly testScores: Float32Array;
  readonly validationAuc: number;
  readonly curve: readonly CurvePoint[];
  readonly steps: number;
  readonly seconds: number;
}

/**
 * Trains a ranker on the training split. The AUC on the validation split decides when to stop and which
 * weights to keep; the test split is scored once, at the end. The same arguments give the same scores.
 *
 * @throws CourierError SPLIT_EMPTY when a split has no exposures, METRIC_UNDEFINED when the validation split
 *   has only one class, VALUE_INVALID for a column that is not finite, TRAINING_DIVERGED when the loss is
 *   not finite
 */
export async function trainRanker(training: RankerTraining): Promise<RankerResult> {
  const { dataset, feature, config, seed, engine } = training;
  const started = performance.now();
  const [trainRows, validationRows, testRows] = splitRows(dataset);
  const fields = new Fields(dataset, trainRows, config.minimumCount);
  const columns = new DenseColumns(dataset, feature, trainRows);
  const assembler = new BatchAssembler(dataset, fields, columns, config.batchSize);
  const model = await RankerModel.create(assembler, config, seed, engine);
  try {
    const labels = Uint8Array.from(validationRows, (row) => dataset.exposures.clicked[row]!);
    const validate = async () => auc(await model.score(validationRows), labels);
    const { curve, best, steps } = await trainUntilStale(model, assembler, trainRows, validate, training);
    await model.restore(best.weights);
    const testScores = await model.score(testRows);
    const seconds = (performance.now() - started) / 1000;
    return { testRows, testScores, validationAuc: best.validationAuc, curve, steps, seconds };
  } finally {
    await model.release();
  }
}

interface Best {
  readonly validationAuc: number;
  readonly weights: RankerWeights;
}

/** Steps until the epochs are over or `patience` evaluations in a row have brought no better AUC. */
async function trainUntilStale(
  model: RankerModel,
  assembler: BatchAssembler,
  trainRows: Int32Array,
  validate: () => Promise<number>,
  { config, seed, feature, progress }: RankerTraining,
): Promise<{ curve: readonly CurvePoint[]; best: Best; steps: number }> {
  const stage = `Train ${config.ranker}, ${feature?.name ?? 'none'}`;
  const perEpoch = Math.ceil(trainRows.length / config.batchSize);
  const interval = Math.ceil(perEpoch / config.evaluationsPerEpoch);
  const total = perEpoch * config.epochs;
  const batches = shuffledBatches(trainRows, config.batchSize, Random.seeded(seed, 'ranker batches'));
  const nextBatch = () => assembler.assemble(batches.next().value);
  const curve: CurvePoint[] = [];
  let best: Best | null = null;
  let [lossSum, steps, sinceBest] = [0, 0, 0];
  progress({ kind: 'start', stage, total, unit: 'steps' });
  let upcoming = nextBatch();
  while (steps < total && sinceBest < config.patience) {
    const running = model.train(upcoming);
    // Assembled while the compute thread is busy with the batch before.
    upcoming = nextBatch();
    const loss = await running;
    steps++;
    if (!Number.isFinite(loss)) throw diverged(steps, loss);
    lossSum += loss;
    if (steps % interval !== 0 && steps !== total) continue;
    const validationAuc = await validate();
    const since = steps - (curve.at(-1)?.step ?? 0);
    curve.push({ step: steps, loss: lossSum / since, validationAuc });
    progress({ kind: 'advance', stage, done: steps, detail: `validation AUC ${validationAuc.toFixed(4)}` });
    lossSum = 0;
    sinceBest++;
    if (best !== null && validationAuc <= best.validationAuc) continue;
    best = { validationAuc, weights: await model.weights() };
    sinceBest = 0;
  }
  if (best === null) throw new Error('training ended without an evaluation');
  progress({ kind: 'end', stage, detail: `validation AUC ${best.validationAuc.toFixed(4)}` });
  return { curve, best, steps };
}

/** Batches without end: all rows in a new random order, then all of them in another. */
function* shuffledBatches(rows: Int32Array, batchSize: number, random: Random): Generator<Int32Array, never> {
  const order = rows.slice();
  while (true) {
    random.shuffle(order);
    for (let from = 0; from < order.length; from += batchSize) yield order.slice(from, from + batchSize);
  }
}

function splitRows(dataset: RankerData): readonly [Int32Array, Int32Array, Int32Array] {
  const rowsOf = (split: 'train' | 'validation' | 'test') => {
    const rows = rowsOfSplit(dataset, split);
    if (rows.length > 0) return rows;
    throw new CourierError(
      'SPLIT_EMPTY',
      `The ${split} split of the dataset has no exposures.`,
      'Ingest the dataset again with other split dates, or with a longer log.',
    );
  };
  return [rowsOf('train'), rowsOf('validation'), rowsOf('test')];
}

function diverged(step: number, loss: number): CourierError {
  return new CourierError(
    'TRAINING_DIVERGED',
    `The ranker's loss became ${loss} at step ${step}.`,
    'Lower `learningRate` or `tableLearningRate`.',
  );
}
