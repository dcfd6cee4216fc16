/**
 * How an encoder is trained, whatever its objective: deal a batch of photos, step, look at the validation period, keep the
 * best. A run that was stopped goes on from its checkpoint, to the same bytes.
 */
import { join } from 'node:path';
import { type AugmentationConfig, defaultAugmentation } from '../augmentation/config.ts';
import { oneProcess } from '../collectives/one-process.ts';
import { firstBeforeOthers } from '../collectives/order.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import type { Dataset } from '../data/dataset.ts';
import { laterOf } from '../data/embeddings/learned-until.ts';
import { knownUntil, learnedPart } from '../data/samplers/training-cut.ts';
import { viewDropout } from '../encoders/backbone.ts';
import { CourierError } from '../errors.ts';
import { createOptimizer } from '../graph/optimizers.ts';
import { layoutOf } from '../graph/parameters.ts';
import { gradientState, scalarFeeds } from '../graph/training-step.ts';
import { hasCollapsed } from '../objectives/collapse.ts';
import { prefixesOf, withLesson } from '../objectives/index.ts';
import type { Lesson, PhotoBatch } from '../objectives/objective.ts';
import { silent, type WorkOptions } from '../progress.ts';
import { RunFolder, type RunIdentity } from '../runs/run-folder.ts';
import { type Engine, EngineScope, type SharedLoader } from '../runtime/engine.ts';
import { usualBudget } from '../runtime/memory.ts';
import { requireSameState } from '../runtime/same-state.ts';
import { anyStops } from './agreement.ts';
import { type ChosenTraining, chosenEncoder } from './chosen-encoder.ts';
import { type TrainingConfig, whatIsLearned } from './config.ts';
import { createStep } from './create-step.ts';
import { collapsedAt, requireFinite } from './divergence.ts';
import { writeModelCard } from './encoder-card.ts';
import { prepareBatch } from './prepared-batch.ts';
import { checkpointFile } from './run-start.ts';
import { learningRateAt } from './schedule.ts';
import { type SeeingEncoder, seeingEncoder } from './seeing-encoder.ts';
import { freshVectors, startFrom } from './starting-point.ts';
import { createEmbedder } from './state-embedder.ts';
import {
  dealtPhotos,
  isFused,
  keepsAll,
  type StepDescription,
  type StepPlan,
  stepParameters,
} from './step-models.ts';
import { planStep } from './step-plan.ts';
import { TrainingRun } from './training-run.ts';
import { Validation } from './validation.ts';
import { encoderFile, writeEncoder } from './written-encoder.ts';

export interface TrainedEncoder {
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
  /** What the first stage cost; null without one. */
  readonly firstStage: FirstStage | null;
}

export interface FirstStage {
  readonly seconds: number;
  readonly images: number;
}

/** Where an encoder is trained. */
export interface TrainingPlace {
  readonly dataset: Dataset;
  readonly engine: Engine;
  /** Bytes that it may take, where others train in the same process; null for what `memory` leaves. */
  readonly room?: number | null;
  /** The processes that train it together, each of which calls this with the same settings; by default this one alone. */
  readonly group?: ProcessGroup;
}

/**
 * Trains an encoder, its first stage before it where the settings ask for one. Called again with the same configuration it
 * goes on from the last checkpoint, and ends with the same bytes as if it had never been stopped.
 * @throws CourierError SPLIT_EMPTY, OUTPUT_EXISTS, OUTPUT_IN_USE, TRAINING_DIVERGED, TRAINING_COLLAPSED, INTERRUPTED and those of reading
 * and writing
 */
export async function trainEncoder(
  settings: TrainingConfig,
  place: TrainingPlace,
  options: WorkOptions = {},
): Promise<TrainedEncoder> {
  const encoder = chosenEncoder(settings.encoder, place.dataset, options.progress);
  const config: ChosenTraining = { ...settings, encoder };
  const { group = oneProcess } = place;
  return RunFolder.holdForAll(group, config.out, async (folder) => {
    const firstStage = await trainFirstStage(config, place, options);
    const scope = new EngineScope(place.engine);
    const { dimension } = config.encoder;
    const dataset = learnedPart(place.dataset, config.olderShare);
    return withLesson(config.objective, { ...config, dimension }, dataset, (lesson) =>
      train(
        config,
        folder,
        firstStage,
        lesson,
        { ...place, dataset, group, owner: place.engine, engine: scope },
        options,
      ),
    ).finally(() => scope.release());
  });
}

/** Trains the same encoder on the photos alone, which is where the training proper then begins. */
async function trainFirstStage(
  { firstStage, ...config }: TrainingConfig,
  place: TrainingPlace,
  options: WorkOptions,
): Promise<(FirstStage & { readonly checkpoint: string }) | null> {
  if (firstStage === null) return null;
  const { out = join(config.out, 'first-stage') } = firstStage;
  options.progress?.({ kind: 'note', text: `First stage: ${firstStage.objective.name}` });
  const { seconds, images } = await trainEncoder(
    { ...config, ...firstStage, out, firstStage: null, prefixes: prefixesOf(firstStage.objective, config) },
    place,
    options,
  );
  return { seconds, images, checkpoint: join(out, checkpointFile) };
}

interface OwnPlace extends Omit<TrainingPlace, 'engine' | 'group'> {
  readonly engine: SharedLoader;
  readonly owner: Engine;
  readonly group: ProcessGroup;
}

async function train<Batch extends PhotoBatch>(
  config: ChosenTraining,
  folder: RunFolder | null,
  firstStage: Awaited<ReturnType<typeof trainFirstStage>>,
  lesson: Lesson<Batch>,
  place: OwnPlace,
  options: WorkOptions,
): Promise<TrainedEncoder> {
  requireSamples(lesson, config);
  const seeing = await firstBeforeOthers(place.group, () =>
    seeingEncoder(config, { dataset: place.dataset, engine: place.owner }, options),
  );
  try {
    return await trainSeeing(config, folder, firstStage, lesson, seeing, place, options);
  } finally {
    await seeing.close();
  }
}

async function trainSeeing<Batch extends PhotoBatch>(
  config: ChosenTraining,
  folder: RunFolder | null,
  firstStage: Awaited<ReturnType<typeof trainFirstStage>>,
  lesson: Lesson<Batch>,
  seeing: SeeingEncoder,
  { dataset, engine, group, room = null }: OwnPlace,
  { progress = silent, signal }: WorkOptions,
): Promise<TrainedEncoder> {
  const { sampler, memory } = lesson;
  const isFirst = group.rank === 0;
  const augmentation = augmentationOf(config, lesson.comparesViews);
  const description = describeStep(config, lesson, seeing, augmentation !== null, group);
  const { encoder, photos: seen } = seeing;
  const dropout = lesson.comparesViews && seeing.dropout === 0 ? viewDropout : seeing.dropout;
  const parameters = stepParameters(description);
  const layout = layoutOf(parameters);
  const vectors = freshVectors(parameters, description.update, config.seed);
  const init = firstStage?.checkpoint ?? config.init;
  // What the first process starts from is what all start from.
  const start = init === undefined || !isFirst ? null : await startFrom(init, layout, vectors, progress);
  const initHash = start?.hash ?? null;
  const begun = laterOf(start?.learnedUntil ?? null, seeing.learnedUntil);
  const learnedUntil = laterOf(knownUntil(dataset), begun);
  const budget = config.memory ?? usualBudget();
  const identity = identityOf(config, dataset, initHash, seeing.hash);
  const run = await TrainingRun.open(folder, group, identity, layout, {
    vectors,
    arrays: memory?.arrays ?? {},
    sampler: sampler.state,
    plan: () => planStep(engine, layout, description, budget, room),
    learnedUntil,
  });
  sampler.restore(run.sampler);
  memory?.restore(run.arrays);
  requireSpread(run, config, run.stepsDone);
  const { plan } = run;
  const state = await engine.createState({
    ...run.vectors,
    ...(isFused(description, plan) ? {} : { [gradientState]: new Float32Array(layout.size) }),
  });
  const step = await createStep(engine, state, layout, description, plan, group);
  const judged = config.averageDecay === null ? 'parameters' : 'average';
  const embedderOf = (vector: string) => createEmbedder(engine, encoder, layout, state, seen, vector, group);
  const embed = await embedderOf(judged);
  const averaged = memory === null ? embed : await embedderOf('average');
  const judgement = { engine, layout, state, vector: judged, embed };
  const validation = await Validation.create(config, dataset, lesson.retrieval, judgement);

  if (run.stepsDone > 0) progress({ kind: 'note', text: `Pre-train: going on after step ${run.stepsDone}` });
  progress({ kind: 'note', text: describePlan(description, plan) });
  progress({ kind: 'start', stage: 'Pre-train', total: config.steps, unit: 'steps' });
  const { optimizer } = description.update;
  let t = run.stepsDone;
  // Photos of a step that is cut are too many to read before it begins.
  const ahead = keepsAll(description, plan) ? (count: number) => dealtPhotos(count, plan, group).own : null;
  const alteration = { augmentation, dropout, hides: encoder.hides ?? null };
  const prepare = (step: number) => prepareBatch(sampler, seen, alteration, config.seed, step, ahead);
  let prepared = prepare(t + 1);
  try {
    while (t < config.steps && !isExhausted(run, config, t)) {
      t++;
      const { batch, photos, after } = prepared;
      const learningRate = learningRateAt(t, config.steps, config.learningRate, config.warmup);
      await memory?.recall(batch, averaged);
      const running = step(batch, photos, scalarFeeds(optimizer, t, learningRate));
      // While the step runs in its thread, the next batch is put together.
      if (t < config.steps) prepared = prepare(t + 1);
      const losses = await running;
      await requireFinite(losses, t, batch, isFirst ? config.out : null);

      const looked = t % config.validateEvery === 0 || t === config.steps;
      const look = looked ? await validation.look() : null;
      if (look !== null) await run.offer(t, look, state, judged);
      const cost =
        t === 1 && firstStage !== null
          ? { firstStageSeconds: firstStage.seconds, firstStageImages: firstStage.images }
          : {};
      await run.record(t, after, photos.count, {
        ...losses,
        learningRate,
        ...look?.scores,
        ...look?.spread,
        ...cost,
      });
      const last = t === config.steps || isExhausted(run, config, t);
      const stopping = !last && (await anyStops(group, signal));
      if (last || t % config.checkEvery === 0) await requireSameState(group, state, t);
      if (last || stopping || isCollapsed(run, config) || run.isCheckpointDue(t, config.checkpointEvery))
        await run.checkpoint(t, state, memory?.arrays ?? {});
      const detail = detailOf(losses['loss']!, run.summary.bestScore);
      progress({ kind: 'advance', stage: 'Pre-train', done: t, detail });
      requireSpread(run, config, t);
      if (stopping) throw interrupted(t);
    }
  } finally {
    await run.written();
  }
  const early = t < config.steps ? { detail: `no better score since step ${run.summary.bestStep}` } : {};
  progress({ kind: 'end', stage: 'Pre-train', ...early });

  const result = { steps: t, ...run.summary, parameters: layout.size };
  if (isFirst) {
    await writeEncoder(config.out, lesson, seeing, { layout, best: run.best, learnedUntil });
    const samples = { count: sampler.sampleCount, what: lesson.samples };
    await writeModelCard(config, dataset, samples, result, initHash);
  }
  // Whoever goes on finds what was written.
  await group.barrier();
  const cost = firstStage === null ? null : { seconds: firstStage.seconds, images: firstStage.images };
  return { encoder: join(config.out, encoderFile), ...result, firstStage: cost };
}

/** @throws CONFIG_INVALID for augmentation of photos of which only features are seen */
function augmentationOf(config: ChosenTraining, comparesViews: boolean): AugmentationConfig | null {
  if (config.encoder.name !== 'backbone')
    return config.augmentation ?? (comparesViews ? defaultAugmentation : null);
  if (config.augmentation === null) return null;
  throw new CourierError(
    'CONFIG_INVALID',
    'Invalid configuration: `augmentation` alters pixels, and the encoder `backbone` learns from features that were computed of them before.',
    'Leave it out: `encoder.dropout` hides a part of the features of each photo instead.',
  );
}

/** The encoder, what it is to learn, and how its parameters are changed. */
function describeStep<Batch extends PhotoBatch>(
  config: TrainingConfig,
  { objective, sampler, photos, memory }: Lesson<Batch>,
  { encoder, learningRateOf }: SeeingEncoder,
  augmented: boolean,
  { size: processes }: ProcessGroup,
): StepDescription<Batch> {
  return {
    encoder,
    objective,
    samples: sampler.batchSize,
    photos,
    augmented,
    processes,
    update: {
      optimizer: createOptimizer({ name: 'adamw', weightDecay: config.weightDecay }),
      clipNorm: config.clipNorm,
      averageDecay: config.averageDecay ?? memory?.averageDecay ?? null,
      rateOf: (parameter) => (learningRateOf(parameter) ?? config.learningRate) / config.learningRate,
    },
  };
}

/**
 * What must be the same for a run to go on. Where it may compute, with how many cores and how much memory, how often it
 * is saved, and whether it goes on when embeddings collapse, may change; where it starts from is known by a hash.
 */
function identityOf(
  config: TrainingConfig,
  dataset: Dataset,
  initHash: string | null,
  networkHash: string | null,
): RunIdentity {
  const { dataset: _, out, init, firstStage, ...identity } = whatIsLearned(config);
  const network = networkHash === null ? {} : { encoder: { ...config.encoder, file: networkHash } };
  return { pipeline: 'pretrain', config: { ...identity, ...network, initHash }, datasetHash: dataset.hash };
}

/** Whether the validation score has stood still for too long. */
function isExhausted({ summary }: TrainingRun, { patience, validateEvery }: TrainingConfig, step: number) {
  return (
    patience !== null && summary.bestScore !== null && step - summary.bestStep >= patience * validateEvery
  );
}

function isCollapsed({ spread }: TrainingRun, { collapse }: TrainingConfig): boolean {
  return collapse === 'stop' && spread !== null && hasCollapsed(spread);
}

/** @throws CourierError TRAINING_COLLAPSED unless the run is to go on regardless */
function requireSpread(run: TrainingRun, config: TrainingConfig, step: number): void {
  if (run.spread !== null && isCollapsed(run, config)) throw collapsedAt(step, run.spread);
}

function requireSamples<Batch extends PhotoBatch>(
  { sampler, samples }: Lesson<Batch>,
  config: TrainingConfig,
): void {
  if (sampler.sampleCount >= 2) return;
  throw new CourierError(
    'SPLIT_EMPTY',
    `The training period of ${config.dataset} has ${sampler.sampleCount} ${samples}; pre-training needs at least 2.`,
    'Check that photos were found (see the findings of ingest) and that the training period is long enough.',
  );
}

function describePlan<Batch>(description: StepDescription<Batch>, plan: StepPlan): string {
  const { chunk, group, shares = 1 } = plan;
  const { photos, processes } = description;
  const by = processes > 1 ? `, shared by ${processes} processes` : '';
  const many = `Pre-train: up to ${photos} photos a step${by}`;
  const beside = shares > 1 ? ` on each of ${shares} cores` : '';
  return keepsAll(description, plan)
    ? `${many}, ${chunk} at a time${beside}`
    : `${many} do not fit into memory together; they are encoded twice, ${chunk * group} at a time`;
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
