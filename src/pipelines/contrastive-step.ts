/**
 * One step of contrastive training on a batch of any size.
 *
 * A batch whose activations fit into memory is one graph: encode, contrast, differentiate, update. A larger one
 * goes through the gradient cache (Gao et al., 2021): every photo is encoded without remembering how; the loss
 * says what each embedding should change; then groups of photos are encoded again, and their share of the
 * gradient is added up; at last the optimiser runs. Memory then does not grow with the batch.
 *
 * Letters in shapes: U distinct photos, c photos of a chunk, N chunks, d length of an embedding.
 */
import { type AugmentationTensors, augment, augmentationInputs } from '../augmentation/augment.ts';
import type { Encoder, Photos } from '../encoders/encoder.ts';
import { photoAxis } from '../encoders/export.ts';
import { mapChunks } from '../graph/chunks.ts';
import { l2Normalize } from '../graph/operators/index.ts';
import { type ParameterLayout, parametersOf } from '../graph/parameters.ts';
import { type FloatTensor, input, openLength, scalar, type Tensor } from '../graph/tensor.ts';
import { buildGradientPart, buildInference, buildTrainingStep, buildUpdate } from '../graph/training-step.ts';
import type { UpdateOptions } from '../graph/update.ts';
import type { Objective } from '../objectives/objective.ts';
import { type Engine, type EngineState, floats, type Session } from '../runtime/engine.ts';
import type { NamedValues } from '../runtime/protocol.ts';

export interface StepDescription<Batch> {
  readonly encoder: Encoder;
  readonly objective: Objective<Batch>;
  /** Samples of a batch. */
  readonly samples: number;
  /** The most photos that a batch can name. */
  readonly photos: number;
  /** Whether photos are altered before they are encoded. */
  readonly augmented: boolean;
  readonly update: UpdateOptions;
}

/** How a step is cut. It decides how sums are rounded, so a run keeps the one it began with. */
export interface StepPlan {
  /** Photos that are encoded at a time. */
  readonly chunk: number;
  /** Chunks whose activations are kept at a time. */
  readonly group: number;
}

/** Distinct photos and what is drawn for each of them, in the same order. */
export interface PhotoFeeds {
  /** uint8 (rows, S, S, 3) */
  read(from: number, to: number): Uint8Array;
  /** By input name; none without augmentation. */
  readonly draws: Readonly<Record<string, Float32Array>>;
  readonly count: number;
}

/** Samples that are contrasted at a time when a step is cut: their scores with all photos take up to 8 MiB. */
function lossBlock<Batch>({ samples, photos }: StepDescription<Batch>): number {
  return Math.max(16, Math.min(256, samples, Math.floor(2 ** 21 / photos)));
}

/** Whether the whole batch is one graph. */
export function isFused({ photos }: { readonly photos: number }, { chunk, group }: StepPlan): boolean {
  return chunk * group >= photos;
}

/** The parameters that a step trains. */
export function stepParameters<Batch>({ encoder, objective, samples }: StepDescription<Batch>) {
  const { side } = encoder;
  const photos = input('photos', 'uint8', [openLength, side, side, 3]);
  return parametersOf([objective.loss(l2Normalize(encoder.forward(photos)), samples).loss]);
}

/** Takes the photos of a batch and its samples, changes the parameters, and gives losses by name. */
export type ContrastiveStep<Batch> = (
  batch: Batch,
  photos: PhotoFeeds,
  scalars: NamedValues,
) => Promise<Readonly<Record<string, number>>>;

/** @param state parameters and slots; where the step is cut, also `gradientState` */
export async function createStep<Batch>(
  engine: Engine,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
): Promise<ContrastiveStep<Batch>> {
  return isFused(description, plan)
    ? fusedStep(engine, state, description, plan)
    : cutStep(engine, state, layout, description, plan);
}

async function fusedStep<Batch>(
  engine: Engine,
  state: EngineState,
  description: StepDescription<Batch>,
  { chunk }: StepPlan,
): Promise<ContrastiveStep<Batch>> {
  const { objective, samples, update } = description;
  const { embeddings, openAxes } = encodeChunks(description, chunk);
  const { loss, parts } = objective.loss(embeddings, samples);
  const rows = Object.fromEntries(objective.perPhoto.map((name) => [name, photoAxis]));
  const step = buildTrainingStep(loss, { ...update, outputs: parts, openAxes: { ...openAxes, ...rows } });
  const session = await engine.load(step.model, state);
  return async (batch, photos, scalars) => {
    const rows = Math.ceil(photos.count / chunk) * chunk;
    const { whole } = objective.feeds(batch, rows);
    const results = await session.run({ ...whole, ...photoFeeds(photos, 0, rows), ...scalars });
    return numbersOf(results, ['loss', ...Object.keys(parts), 'gradientNorm']);
  };
}

async function cutStep<Batch>(
  engine: Engine,
  state: EngineState,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  plan: StepPlan,
): Promise<ContrastiveStep<Batch>> {
  const { encoder, objective } = description;
  const { chunk, group } = plan;
  const { dimension } = encoder;
  const encode = await engine.load(encodeModel(description, layout), state);
  const contrast = await engine.load(contrastModel(description, layout), state);
  const backward = await engine.load(backwardModel(description, layout, plan), state);
  const update = await engine.load(buildUpdate(layout, description.update), state);

  return async (batch, photos, scalars) => {
    const rows = Math.ceil(photos.count / chunk) * chunk;
    const embeddings = new Float32Array(rows * dimension);
    await inTurn(
      encode,
      spans(rows, chunk),
      ({ from, to }) => photoFeeds(photos, from, to),
      ({ from }, results) => embeddings.set(floats(results, 'embeddings'), from * dimension),
    );

    const feeds = objective.feeds(batch, rows);
    const gradient = new Float32Array(rows * dimension);
    const losses: Record<string, number> = {};
    const block = lossBlock(description);
    const blocks = spans(description.samples, block);
    await inTurn(
      contrast,
      blocks,
      ({ from }) => ({ embeddings, ...feeds.block(from, block) }),
      (_, results) => {
        for (const [name, values] of Object.entries(results)) {
          if (name === embeddingGradient) addTo(gradient, floats(results, name));
          else losses[name] = (losses[name] ?? 0) + Number(values[0]);
        }
      },
    );

    await inTurn(backward, spans(rows, chunk * group), ({ from, to }) => ({
      ...photoFeeds(photos, from, to),
      seed: gradient.subarray(from * dimension, to * dimension).slice(),
    }));
    return { ...losses, ...numbersOf(await update.run(scalars), ['gradientNorm']) };
  };
}

const embeddingGradient = 'gradient.embeddings';
const chunkAxis = 'chunks';

/** Photos of a chunk → unit embeddings (c, d). */
function encodeModel<Batch>(description: StepDescription<Batch>, layout: ParameterLayout) {
  const { side } = description.encoder;
  const draws = drawInputs(description, []);
  const photos = input('photos', 'uint8', [openLength, side, side, 3]);
  const embeddings = encoded(description, photos, draws.tensors);
  return buildInference({ embeddings }, layout, { photos: photoAxis, ...draws.openAxes });
}

/** Embeddings and a block of samples → its part of the loss, and of the gradient of each embedding. */
function contrastModel<Batch>(description: StepDescription<Batch>, layout: ParameterLayout) {
  const { encoder, objective } = description;
  const embeddings = input('embeddings', 'float32', [openLength, encoder.dimension]);
  const { loss, parts } = objective.loss(embeddings, lossBlock(description));
  const perPhoto = ['embeddings', ...objective.perPhoto].map((name) => [name, photoAxis]);
  return buildGradientPart(loss, scalar(1), layout, {
    outputs: { loss, ...parts },
    inputGradients: { embeddings },
    openAxes: Object.fromEntries(perPhoto),
  });
}

/** Photos of a group and the gradients of their embeddings → gradients of the encoder's parameters. */
export function backwardModel<Batch>(
  description: StepDescription<Batch>,
  layout: ParameterLayout,
  { chunk }: Pick<StepPlan, 'chunk'>,
) {
  const { embeddings, openAxes } = encodeChunks(description, chunk);
  const seed = input('seed', 'float32', embeddings.shape);
  return buildGradientPart(embeddings, seed, layout, { openAxes: { ...openAxes, seed: photoAxis } });
}

/** The encoder over an open number of chunks: (N, c, S, S, 3) → (N · c, d). */
export function encodeChunks<Batch>(description: StepDescription<Batch>, chunk: number) {
  const { side } = description.encoder;
  const draws = drawInputs(description, [chunk]);
  const photos = input('photos', 'uint8', [openLength, chunk, side, side, 3]);
  const { result, keptBytes } = mapChunks(photos, draws.list, (piece, [view, blur, colour]) =>
    encoded(description, piece, view && blur && colour ? { view, blur, colour } : null),
  );
  return { embeddings: result, keptBytes, openAxes: { photos: chunkAxis, ...draws.openAxes } };
}

/** What is drawn for the photos of a batch whose leading axes are open, then `rest`; none without augmentation. */
function drawInputs<Batch>({ augmented }: StepDescription<Batch>, rest: readonly number[]) {
  if (!augmented) return { tensors: null, list: [], openAxes: {} };
  const tensors = augmentationInputs([openLength, ...rest]);
  const axis = rest.length === 0 ? photoAxis : chunkAxis;
  const openAxes = Object.fromEntries(Object.keys(tensors).map((name) => [name, axis]));
  return { tensors, list: [tensors.view, tensors.blur, tensors.colour], openAxes };
}

function encoded<Batch>(
  { encoder }: StepDescription<Batch>,
  photos: Tensor<'uint8'>,
  draws: AugmentationTensors | null,
): FloatTensor {
  const seen: Photos = draws === null ? photos : augment(photos, draws);
  return l2Normalize(encoder.forward(seen));
}

/** The photos from `from` to `to` and their draws; beyond the last photo come black ones. */
function photoFeeds(photos: PhotoFeeds, from: number, to: number): NamedValues {
  const until = Math.min(to, photos.count);
  const pixels = photos.read(from, until);
  const all = new Uint8Array((pixels.length / (until - from)) * (to - from));
  all.set(pixels);
  const draws = Object.entries(photos.draws).map(([name, values]) => {
    const width = values.length / photos.count;
    const part = new Float32Array((to - from) * width);
    part.set(values.subarray(from * width, until * width));
    return [name, part];
  });
  return { photos: all, ...Object.fromEntries(draws) };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function spans(count: number, size: number): readonly Span[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({
    from: index * size,
    to: Math.min((index + 1) * size, count),
  }));
}

/** Runs the session on each span; while one runs in its thread, the values of the next are put together. */
async function inTurn(
  session: Session,
  all: readonly Span[],
  feeds: (span: Span) => NamedValues,
  use: (span: Span, results: NamedValues) => void = () => {},
): Promise<void> {
  let prepared = feeds(all[0]!);
  for (const [index, span] of all.entries()) {
    const running = session.run(prepared);
    const next = all[index + 1];
    if (next !== undefined) prepared = feeds(next);
    use(span, await running);
  }
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
}

function numbersOf(results: NamedValues, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, floats(results, name)[0]!]));
}
