/**
 * Pre-training (COURIER, arXiv 2306.05001): dataset → encoder.
 *
 * For every click, the image of the clicked item is rebuilt from the images that its user clicked before,
 * and must be told from all other candidates of the batch. The encoder learns what makes that possible.
 */
import { join } from 'node:path';
import { parseConfig } from '../config.ts';
import { type ClickBatch, ClickSampler } from '../data/click-sampler.ts';
import type { Dataset } from '../data/dataset.ts';
import { type Encoder, requireDivides } from '../encoders/encoder.ts';
import { embeddingGraph, exportEncoder, photoAxis } from '../encoders/export.ts';
import { createEncoder } from '../encoders/index.ts';
import { describeLoaded, loadWeights } from '../encoders/published-weights.ts';
import { CourierError } from '../errors.ts';
import { hashFile, writeFileWhole } from '../files.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { initialValues } from '../graph/parameters.ts';
import { input } from '../graph/tensor.ts';
import { buildInference, buildTrainingStep, scalarFeeds, type TrainingStep } from '../graph/training-step.ts';
import { courierLoss } from '../objectives/courier.ts';
import { exportAttention } from '../objectives/reconstruction.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import { type Engine, type EngineState, floats, type Session } from '../runtime/engine.ts';
import { readSafeTensors } from '../runtime/safetensors.ts';
import { type PretrainConfig, type PretrainConfigInput, pretrainConfig } from './pretrain-config.ts';
import { learningRateAt } from './schedule.ts';
import { chooseScreening, type EmbedPhotos, simScoreAuc } from './screening.ts';
import { TrainingRun } from './training-run.ts';
import { withDataset } from './with-dataset.ts';

export interface PretrainResult {
  /** Path of encoder.onnx: the parameters with the best validation score. */
  readonly encoder: string;
  readonly bestStep: number;
  /** SimScore AUC on the validation period; null when it holds no usable page view. */
  readonly bestScore: number | null;
  readonly seconds: number;
  readonly images: number;
  readonly parameters: number;
}

export const encoderFile = 'encoder.onnx';
export const attentionFile = 'attention.onnx';

/** Photos that are embedded at once when the encoder is looked at. */
const embedBatch = 128;

/**
 * Trains an encoder. Called again with the same configuration it goes on from the last checkpoint, and ends
 * with the same bytes as if it had never been stopped.
 * @param signal stops training after the step under way, with a checkpoint
 * @throws CourierError CONFIG_INVALID, SPLIT_EMPTY, OUTPUT_EXISTS, TRAINING_DIVERGED, INTERRUPTED and those of
 * reading and writing
 */
export async function pretrain(
  settings: PretrainConfigInput,
  progress: Progress,
  signal?: AbortSignal,
): Promise<PretrainResult> {
  const config = parseConfig(pretrainConfig, settings, 'pretrain configuration');
  return withDataset(config.dataset, (dataset, engine) => train(config, dataset, engine, progress, signal));
}

async function train(
  config: PretrainConfig,
  dataset: Dataset,
  engine: Engine,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<PretrainResult> {
  const encoder = createEncoder({ ...config.encoder, side: dataset.images.side });
  requireDivides('objective.heads', config.objective.heads, 'encoder.dimension', encoder.dimension);
  const sampler = createSampler(config, dataset);
  const step = buildCourierStep(encoder, sampler.batchSize, config);
  const { dataset: _, out, init, ...identity } = config;
  const vectors = freshVectors(step, config.seed);
  const initHash = init === undefined ? null : await startFrom(init, step, vectors, progress);
  const run = await TrainingRun.open(
    out,
    { pipeline: 'pretrain', config: { ...identity, initHash }, datasetHash: dataset.hash },
    step,
    { vectors, sampler: sampler.state },
  );
  sampler.restore(run.sampler);
  const state = await engine.createState(run.vectors);
  const session = await engine.load(step.model, state);
  const embed = await createEmbedder(engine, encoder, step, state, dataset);
  const screening = chooseScreening(
    dataset,
    'validation',
    config.validationPageViews,
    Random.seeded(config.seed, 'screening'),
  );

  if (run.stepsDone > 0) progress({ kind: 'note', text: `Pre-train: going on after step ${run.stepsDone}` });
  progress({ kind: 'start', stage: 'Pre-train', total: config.steps, unit: 'steps' });
  let prepared = prepareBatch(sampler, dataset);
  for (let t = run.stepsDone + 1; t <= config.steps; t++) {
    const { feeds, images, after } = prepared;
    const learningRate = learningRateAt(t, config.steps, config.learningRate, config.warmup);
    const running = session.run({ ...feeds, ...scalarFeeds(step.optimizer, t, learningRate) });
    // While the step runs in its thread, the next batch is put together.
    if (t < config.steps) prepared = prepareBatch(sampler, dataset);
    const losses = readLosses(await running, t);

    const looked = t % config.validateEvery === 0 || t === config.steps;
    const score = looked ? await simScoreAuc(screening, embed) : null;
    if (looked) await run.offer(t, score, state);
    const validation = score === null ? {} : { validationAuc: score };
    await run.record(t, after, images, { ...losses, learningRate, ...validation });
    const last = t === config.steps || signal?.aborted === true;
    if (last || t % config.checkpointEvery === 0) await run.checkpoint(t, state);
    progress({
      kind: 'advance',
      stage: 'Pre-train',
      done: t,
      detail: detailOf(losses.loss, run.summary.bestScore),
    });
    if (last && t < config.steps) throw interrupted(t);
  }
  progress({ kind: 'end', stage: 'Pre-train' });

  const { objective, history } = config;
  const attention = exportAttention(objective, encoder.dimension, history, step.layout, run.best);
  await writeFileWhole(join(out, attentionFile), attention.bytes);
  const encoderPath = join(out, encoderFile);
  await writeFileWhole(encoderPath, exportEncoder(encoder, step.layout, run.best).bytes);
  return { encoder: encoderPath, ...run.summary, parameters: step.layout.size };
}

/** The graph of one step: encode each distinct photo once, rebuild, contrast, update. */
function buildCourierStep(encoder: Encoder, samples: number, config: PretrainConfig): TrainingStep {
  const { embeddings } = embeddingGraph(encoder);
  const { candidates, history } = config;
  const { loss, pageViewLoss, sequenceLoss } = courierLoss(
    {
      embeddings,
      clicked: input('clicked', 'int32', [samples]),
      candidates: input('candidates', 'int32', [samples, candidates]),
      candidateMask: input('candidateMask', 'float32', [samples, candidates]),
      history: input('history', 'int32', [samples, history]),
      historyMask: input('historyMask', 'float32', [samples, history]),
      newest: input('newest', 'int32', [samples]),
    },
    config.objective,
  );
  return buildTrainingStep(loss, {
    optimizer: createOptimizer({ name: 'adamw', weightDecay: config.weightDecay }),
    clipNorm: config.clipNorm,
    outputs: { pageViewLoss, sequenceLoss },
    openAxes: { photos: photoAxis },
  });
}

function createSampler(config: PretrainConfig, dataset: Dataset): ClickSampler {
  const { batchSize, candidates, history, seed } = config;
  const sampler = new ClickSampler(dataset, { batchSize, candidates, history, seed });
  if (sampler.sampleCount >= 2) return sampler;
  throw new CourierError(
    'SPLIT_EMPTY',
    `The training period of ${config.dataset} has ${sampler.sampleCount} clicks with a photo and an earlier photo; pre-training needs at least 2.`,
    'Check that photos were found (see the findings of ingest) and that the training period is long enough.',
  );
}

function freshVectors(step: TrainingStep, seed: number): Readonly<Record<string, Float32Array>> {
  const parameters = initialValues(step.parameters, Random.seeded(seed, 'parameters'));
  const slots = step.optimizer.slots.map((slot) => [slot, new Float32Array(step.layout.size)]);
  return { parameters, ...Object.fromEntries(slots) };
}

/** Copies weights from a file over the fresh ones. @returns the file's hash */
async function startFrom(
  path: string,
  step: TrainingStep,
  vectors: Readonly<Record<string, Float32Array>>,
  progress: Progress,
): Promise<string> {
  const file = await readSafeTensors(path, 'Initial weights');
  const loaded = loadWeights(file, step.layout, vectors['parameters']!, path);
  progress({ kind: 'note', text: describeLoaded(loaded, path) });
  return hashFile(path);
}

/** The next batch as the model takes it, and where the sampler stands after it. */
function prepareBatch(sampler: ClickSampler, dataset: Dataset) {
  const { photos, ...indices }: ClickBatch = sampler.next();
  return {
    feeds: { photos: dataset.images.read(photos), ...indices },
    images: photos.length,
    after: sampler.state,
  };
}

/** Embeds photos with the parameters as they stand in the engine. */
async function createEmbedder(
  engine: Engine,
  encoder: Encoder,
  step: TrainingStep,
  state: EngineState,
  dataset: Dataset,
): Promise<EmbedPhotos> {
  const { embeddings } = embeddingGraph(encoder);
  const openAxes = { photos: photoAxis, embeddings: photoAxis };
  const session = await engine.load(buildInference({ embeddings }, step.layout, openAxes), state);
  return (photos) => embedInBatches(session, photos, dataset, encoder.dimension);
}

async function embedInBatches(session: Session, photos: Int32Array, dataset: Dataset, dimension: number) {
  const vectors = new Float32Array(photos.length * dimension);
  for (let from = 0; from < photos.length; from += embedBatch) {
    const results = await session.run({
      photos: dataset.images.read(photos.subarray(from, from + embedBatch)),
    });
    vectors.set(floats(results, 'embeddings'), from * dimension);
  }
  return vectors;
}

/** @throws CourierError TRAINING_DIVERGED when a loss is not a number */
function readLosses(results: Parameters<typeof floats>[0], step: number) {
  const read = (name: string) => floats(results, name)[0]!;
  const losses = {
    loss: read('loss'),
    pageViewLoss: read('pageViewLoss'),
    sequenceLoss: read('sequenceLoss'),
    gradientNorm: read('gradientNorm'),
  };
  if (Object.values(losses).every(Number.isFinite)) return losses;
  throw new CourierError(
    'TRAINING_DIVERGED',
    `Training diverged at step ${step}: ${JSON.stringify(losses)}.`,
    'Lower the learning rate, and train into a new output folder.',
  );
}

function detailOf(loss: number, score: number | null): string {
  return `loss ${loss.toFixed(3)}${score === null ? '' : `, best validation AUC ${score.toFixed(4)}`}`;
}

function interrupted(step: number): CourierError {
  return new CourierError(
    'INTERRUPTED',
    `Stopped after step ${step}; everything up to it is saved.`,
    'Run the same command again to go on.',
  );
}
