/** Training of a ranker: steps on shuffled exposures, early stopping on the validation split, one test. */
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { evenShares, ownShare } from '../collectives/shares.ts';
import { allOrNone } from '../collectives/together.ts';
import type { VisualFeature } from '../data/visual-feature.ts';
import { CourierError } from '../errors.ts';
import { auc } from '../metrics/auc.ts';
import { type Measured, measure } from '../metrics/measured.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import { BatchAssembler } from './batch.ts';
import { type RankerData, rowsOfSplit } from './fields.ts';
import { gatesOf, RankerModel, type RankerState } from './model.ts';
import type { RankerOrigin } from './ready-ranker.ts';
import { type CheckpointPlace, type CurvePoint, TrainingMemory } from './training-memory.ts';

export interface RankerTraining extends RankerOrigin {
  readonly progress: Progress;
  /** A ranker without images, trained on the same data, to go on from; null to begin from nothing. */
  readonly base: RankerState | null;
  /**
   * `passes` over its exposures in random order, until the validation AUC no longer rises: the best weights are kept. Or
   * `once` over them in the order of time, as a model in use learns: the last weights are kept, whatever their AUC.
   */
  readonly course: 'passes' | 'once';
  /** Stops the training before its next step. */
  readonly signal: Pick<AbortSignal, 'aborted'> | undefined;
  /** Where it is kept so that it can go on, by the first process; null: nowhere. */
  readonly checkpoint: CheckpointPlace | null;
  /** The processes that train it together, each with its share of every batch; all call this at once, with the same settings. By default this one alone. */
  readonly group?: ProcessGroup;
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
  /** Of these, spent waiting for other processes, where several trained it together. */
  readonly communicationSeconds?: number | undefined;
  /** By descending number of test exposures; none without images. */
  readonly gates: readonly Gate[];
}

/** A ranker after training, still in memory. The caller releases the model. */
export interface TrainedRanker {
  readonly result: RankerResult;
  readonly model: RankerModel;
  readonly assembler: BatchAssembler;
  readonly feature: VisualFeature | null;
  /** That with the best validation AUC, or the last one where that is undefined. Each process has its own rows of the table. */
  readonly state: RankerState;
}

/**
 * Trains a ranker on exposures of the training split. In passes, the AUC on the validation split decides when to stop and
 * which weights to keep; where it is undefined, training goes on to its last step and keeps the weights of that. The test
 * split is scored once, at the end. The same arguments give the same scores,
 * however often the training was stopped: it goes on from its checkpoint, which stays there in the end.
 *
 * @throws CourierError SPLIT_EMPTY as `requireTrainable` does, VALUE_INVALID for a column that is not finite,
 *   TRAINING_DIVERGED when the loss is not finite, INTERRUPTED, and those of reading and writing the checkpoint
 */
export async function trainRanker(training: RankerTraining): Promise<TrainedRanker> {
  const { dataset, feature, config, seed, engine, base, group = oneProcess } = training;
  const began = performance.now();
  const { assembler, model } = await allOrNone(group, async () => {
    const train = requireTrainable(dataset);
    const shares = { ...config, batchSize: Math.ceil(config.batchSize / group.size) };
    const assembler = new BatchAssembler(dataset, feature, train, shares, training.rows);
    return { assembler, model: await RankerModel.create(assembler, config, seed, engine, base, group) };
  });
  const [validation, test] = [rowsOfSplit(dataset, 'validation'), rowsOfSplit(dataset, 'test')];
  try {
    const memory = await TrainingMemory.open(model, training.checkpoint, runOf(training), began, group);
    const labels = Uint8Array.from(validation, (row) => dataset.exposures.clicked[row]!);
    const validate = async () => {
      const scores = await model.scorer.score(validation);
      return measure(() => auc(scores, labels));
    };
    await followCourse(model, assembler, validate, memory, training);
    const { curve, steps, best } = memory;
    const { validationAuc, state } = best;
    await model.restore(state);
    const testScores = await model.scorer.score(test);
    const gates = gatesOnTest(gatesOf(state), assembler, dataset, test);
    const { seconds } = memory;
    const communicationSeconds = model.communication.communicationMs / 1000;
    const times = { seconds, ...(group.size === 1 ? {} : { communicationSeconds }) };
    const result = { testRows: test, testScores, validationAuc, curve, steps, ...times, gates };
    return { result, model, assembler, feature, state };
  } catch (error) {
    await model.release();
    throw error;
  }
}

/** What a checkpoint must have been written by. */
function runOf({ config, seed, feature, base, course, rows }: RankerTraining): string {
  const from = { base: base?.step ?? null, course, rows: rows.length };
  return JSON.stringify({ config, seed, feature: feature?.name ?? null, ...from });
}

/** Steps until the course is over, or in passes until `patience` looks in a row have brought no better AUC. */
async function followCourse(
  model: RankerModel,
  assembler: BatchAssembler,
  validate: () => Promise<Measured>,
  memory: TrainingMemory,
  { config, seed, feature, progress, rows, course, signal, group = oneProcess }: RankerTraining,
): Promise<void> {
  const stage = `Train ${config.ranker}, ${feature?.name ?? 'none'}`;
  const perPass = Math.ceil(rows.length / config.batchSize);
  const total = course === 'once' ? perPass : perPass * config.epochs;
  const interval = course === 'once' ? total : Math.ceil(perPass / config.evaluationsPerEpoch);
  const order = course === 'once' ? null : Random.seeded(seed, 'ranker batches');
  const batches = batchesOf(rows, config.batchSize, order);
  for (let step = 0; step < memory.steps; step++) batches.next();
  const nextBatch = () => {
    const whole = batches.next().value;
    const { from, to } = ownShare(evenShares(whole.length, group), group);
    return model.prepare(assembler.assemble(whole.subarray(from, to), whole.length));
  };
  const look = async () => {
    const validationAuc = await validate();
    await memory.recordLook(validationAuc);
    progress({ kind: 'advance', stage, done: memory.steps, detail: aucText(validationAuc) });
  };
  progress({ kind: 'start', stage, total, unit: 'steps' });
  let [upcoming, before] = [await nextBatch(), await beforeStep(group, memory, signal)];
  while (memory.steps < total && memory.sinceBest < config.patience) {
    if (before.keeps) await memory.keep();
    if (before.stops) throw interrupted(memory.steps);
    const loss = await model.train(upcoming, async () => {
      upcoming = await nextBatch();
      before = await beforeStep(group, memory, signal);
    });
    memory.recordStep(loss);
    if (!Number.isFinite(loss)) throw diverged(memory.steps, loss);
    if (memory.steps % interval === 0 || memory.steps === total) await look();
  }
  progress({ kind: 'end', stage, detail: aucText(memory.best.validationAuc) });
}

/** What all do before the next step, where one was asked to stop, or a checkpoint is due by the clock of the first. */
async function beforeStep(
  group: ProcessGroup,
  memory: TrainingMemory,
  signal: RankerTraining['signal'],
): Promise<{ readonly keeps: boolean; readonly stops: boolean }> {
  const isDue = group.rank === 0 && memory.isDue;
  const asked = Float32Array.of(signal?.aborted === true ? 1 : 0, isDue ? 1 : 0);
  await group.allReduce(asked);
  const stops = asked[0]! > 0;
  return { stops, keeps: stops || asked[1]! > 0 };
}

function aucText(validationAuc: Measured): string {
  return validationAuc.kind === 'value'
    ? `validation AUC ${validationAuc.value.toFixed(4)}`
    : `no validation AUC, the last weights are kept: ${validationAuc.why}`;
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

/** Batches without end: all rows in a new random order, then all of them in another; without one as they are. */
function* batchesOf(
  rows: Int32Array,
  batchSize: number,
  random: Random | null,
): Generator<Int32Array, never> {
  const order = rows.slice();
  while (true) {
    random?.shuffle(order);
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

function interrupted(step: number): CourierError {
  return new CourierError(
    'INTERRUPTED',
    `Stopped a ranker after step ${step} of its training.`,
    'Run the same command again to go on.',
  );
}

function diverged(step: number, loss: number): CourierError {
  return new CourierError(
    'TRAINING_DIVERGED',
    `The ranker's loss became ${loss} at step ${step}.`,
    'Lower `learningRate` or `tableLearningRate`.',
  );
}
