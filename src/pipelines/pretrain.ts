/**
 * Pre-training (COURIER, arXiv 2306.05001): dataset → encoder.
 *
 * For every click, the image of the clicked item is rebuilt from the images that its user clicked before,
 * and must be told from all other candidates of the batch. The encoder learns what makes that possible.
 */
import { join } from 'node:path';
import { drawAugmentations } from '../augmentation/draw.ts';
import { parseConfig } from '../config.ts';
import { type ClickBatch, ClickSampler } from '../data/click-sampler.ts';
import type { Dataset } from '../data/dataset.ts';
import { requireDivides } from '../encoders/encoder.ts';
import { exportEncoder } from '../encoders/export.ts';
import { createEncoder } from '../encoders/index.ts';
import { describeLoaded, loadWeights } from '../encoders/published-weights.ts';
import { CourierError } from '../errors.ts';
import { hashFile, writeFileWhole } from '../files.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { initialValues, layoutOf, type ParameterLayout } from '../graph/parameters.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import { gradientState, scalarFeeds } from '../graph/training-step.ts';
import type { UpdateOptions } from '../graph/update.ts';
import { courierObjective } from '../objectives/courier.ts';
import { exportAttention } from '../objectives/reconstruction.ts';
import type { Progress } from '../progress.ts';
import { Random } from '../random.ts';
import type { Engine } from '../runtime/engine.ts';
import { usableMemory } from '../runtime/memory.ts';
import { readSafeTensors } from '../runtime/safetensors.ts';
import { createStep } from './contrastive-step.ts';
import { requireFinite } from './divergence.ts';
import { type PretrainConfig, type PretrainConfigInput, pretrainConfig } from './pretrain-config.ts';
import type { RunIdentity } from './run-folder.ts';
import { learningRateAt } from './schedule.ts';
import { createEmbedder } from './state-embedder.ts';
import { isFused, type StepDescription, type StepPlan, stepParameters } from './step-models.ts';
import { planStep } from './step-plan.ts';
import { TrainingRun } from './training-run.ts';
import { Validation } from './validation.ts';
import { withDataset } from './with-dataset.ts';

export interface PretrainResult {
  /** Path of encoder.onnx: the parameters with the best validation score. */
  readonly encoder: string;
  /** Steps done: fewer than configured where the validation score stood still. */
  readonly steps: number;
  readonly bestStep: number;
  /** SimScore AUC on the validation period; null when it holds no usable page view. */
  readonly bestScore: number | null;
  readonly seconds: number;
  readonly images: number;
  readonly parameters: number;
}

export const encoderFile = 'encoder.onnx';
export const attentionFile = 'attention.onnx';

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
  return withDataset(
    config.dataset,
    (dataset, engine) => train(config, dataset, engine, progress, signal),
    config.device,
  );
}

async function train(
  config: PretrainConfig,
  dataset: Dataset,
  engine: Engine,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<PretrainResult> {
  const sampler = createSampler(config, dataset);
  const description = describeStep(config, dataset, sampler.batchSize);
  const { encoder } = description;
  const parameters = stepParameters(description);
  const layout = layoutOf(parameters);
  const vectors = freshVectors(parameters, description.update, config.seed);
  const initHash = config.init === undefined ? null : await startFrom(config.init, layout, vectors, progress);
  const budget = config.memory ?? usableMemory() / 2;
  const run = await TrainingRun.open(config.out, identityOf(config, dataset, initHash), layout, {
    vectors,
    sampler: sampler.state,
    plan: () => planStep(engine, layout, description, budget),
  });
  sampler.restore(run.sampler);
  const { plan } = run;
  const state = await engine.createState({
    ...run.vectors,
    ...(isFused(description, plan) ? {} : { [gradientState]: new Float32Array(layout.size) }),
  });
  const step = await createStep(engine, state, layout, description, plan);
  const judged = config.averageDecay === null ? 'parameters' : 'average';
  const embed = await createEmbedder(engine, encoder, layout, state, dataset, judged);
  const validation = await Validation.create(config, dataset, engine, layout, state, embed, judged);

  if (run.stepsDone > 0) progress({ kind: 'note', text: `Pre-train: going on after step ${run.stepsDone}` });
  progress({ kind: 'note', text: describePlan(description, plan) });
  progress({ kind: 'start', stage: 'Pre-train', total: config.steps, unit: 'steps' });
  const { optimizer } = description.update;
  let t = run.stepsDone;
  // Photos of a step that is cut are too many to read before it begins.
  const ahead = isFused(description, plan);
  let prepared = prepareBatch(sampler, dataset, config, t + 1, ahead);
  while (t < config.steps && !isExhausted(run, config, t)) {
    t++;
    const { batch, photos, after } = prepared;
    const learningRate = learningRateAt(t, config.steps, config.learningRate, config.warmup);
    const running = step(batch, photos, scalarFeeds(optimizer, t, learningRate));
    // While the step runs in its thread, the next batch is put together.
    if (t < config.steps) prepared = prepareBatch(sampler, dataset, config, t + 1, ahead);
    const losses = await running;
    await requireFinite(losses, t, batch, config.out);

    const looked = t % config.validateEvery === 0 || t === config.steps;
    const scores = looked ? await validation.look() : {};
    if (looked) await run.offer(t, scores.validationAuc ?? null, state, judged);
    await run.record(t, after, photos.count, { ...losses, learningRate, ...scores });
    const last = t === config.steps || isExhausted(run, config, t);
    const stopping = !last && signal?.aborted === true;
    if (last || stopping || t % config.checkpointEvery === 0) await run.checkpoint(t, state);
    const detail = detailOf(losses['loss']!, run.summary.bestScore);
    progress({ kind: 'advance', stage: 'Pre-train', done: t, detail });
    if (stopping) throw interrupted(t);
  }
  const early = t < config.steps ? { detail: `no better score since step ${run.summary.bestStep}` } : {};
  progress({ kind: 'end', stage: 'Pre-train', ...early });

  const { objective, history } = config;
  const attention = exportAttention(objective, encoder.dimension, history, layout, run.best);
  await writeFileWhole(join(config.out, attentionFile), attention.encode('standard'));
  const encoderPath = join(config.out, encoderFile);
  await writeFileWhole(encoderPath, exportEncoder(encoder, layout, run.best).encode('standard'));
  return { encoder: encoderPath, steps: t, ...run.summary, parameters: layout.size };
}

/** The encoder, what it is to learn, and how its parameters are changed. */
function describeStep(
  config: PretrainConfig,
  dataset: Dataset,
  samples: number,
): StepDescription<ClickBatch> {
  const encoder = createEncoder({ ...config.encoder, side: dataset.images.side });
  requireDivides('objective.heads', config.objective.heads, 'encoder.dimension', encoder.dimension);
  return {
    encoder,
    objective: courierObjective(config.objective, config.history),
    samples,
    photos: Math.min(samples * (config.candidates + config.history), dataset.images.count),
    augmented: config.augmentation !== null,
    update: {
      optimizer: createOptimizer({ name: 'adamw', weightDecay: config.weightDecay }),
      clipNorm: config.clipNorm,
      averageDecay: config.averageDecay,
    },
  };
}

/** What must be the same for a run to go on. Where it may compute, and with how much memory, may change. */
function identityOf(config: PretrainConfig, dataset: Dataset, initHash: string | null): RunIdentity {
  const { dataset: _, out, init, memory, device, ...identity } = config;
  return { pipeline: 'pretrain', config: { ...identity, initHash }, datasetHash: dataset.hash };
}

/** Whether the validation score has stood still for too long. */
function isExhausted({ summary }: TrainingRun, { patience, validateEvery }: PretrainConfig, step: number) {
  return (
    patience !== null && summary.bestScore !== null && step - summary.bestStep >= patience * validateEvery
  );
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

/** New parameters, an average that begins with them, and slots of zeros. */
function freshVectors(
  tensors: readonly FloatTensor[],
  update: UpdateOptions,
  seed: number,
): Readonly<Record<string, Float32Array>> {
  const parameters = initialValues(tensors, Random.seeded(seed, 'parameters'));
  const slots = update.optimizer.slots.map((slot) => [slot, new Float32Array(parameters.length)]);
  const average = update.averageDecay === null ? {} : { average: parameters.slice() };
  return { parameters, ...Object.fromEntries(slots), ...average };
}

/** Copies weights from a file over the fresh ones. @returns the file's hash */
async function startFrom(
  path: string,
  layout: ParameterLayout,
  vectors: Readonly<Record<string, Float32Array>>,
  progress: Progress,
): Promise<string> {
  const file = await readSafeTensors(path, 'Initial weights');
  const loaded = loadWeights(file, layout, vectors['parameters']!, path);
  vectors['average']?.set(vectors['parameters']!);
  progress({ kind: 'note', text: describeLoaded(loaded, path) });
  return hashFile(path);
}

/**
 * The next batch, what its photos will look like, and where the sampler stands after it.
 * @param ahead reads its photos now, not when they are encoded
 */
function prepareBatch(
  sampler: ClickSampler,
  dataset: Dataset,
  config: PretrainConfig,
  step: number,
  ahead: boolean,
) {
  const batch = sampler.next();
  const { length: count } = batch.photos;
  const random = Random.seeded(config.seed, `augmentation of step ${step}`);
  const draws = config.augmentation === null ? {} : drawAugmentations(config.augmentation, count, random);
  const { images } = dataset;
  const pixels = ahead ? images.read(batch.photos) : null;
  const bytes = images.side ** 2 * 3;
  const read = (from: number, to: number) =>
    pixels?.subarray(from * bytes, to * bytes) ?? images.read(batch.photos.subarray(from, to));
  return { batch, photos: { count, read, draws: { ...draws } }, after: sampler.state };
}

function describePlan<Batch>(description: StepDescription<Batch>, plan: StepPlan): string {
  const { chunk, group } = plan;
  return isFused(description, plan)
    ? `Pre-train: up to ${description.photos} photos a step, ${chunk} at a time`
    : `Pre-train: up to ${description.photos} photos a step do not fit into memory together; they are encoded twice, ${chunk * group} at a time`;
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
