/** The models that a contrastive step is made of, see contrastive-step.ts. */
import { augment, augmentationInputs } from '../augmentation/augment.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { evenShares, ownShare } from '../collectives/shares.ts';
import { type Encoder, type Photos, photosInput } from '../encoders/encoder.ts';
import { photoAxis } from '../encoders/export.ts';
import { mapChunks } from '../graph/chunks.ts';
import { l2Normalize, reshape } from '../graph/operators/index.ts';
import { layoutOf, type ParameterLayout, parametersOf } from '../graph/parameters.ts';
import { thereAndBack } from '../graph/residuals.ts';
import { type FloatTensor, input, openLength, scalar, sizeOf } from '../graph/tensor.ts';
import {
  buildGradient,
  buildGradientPart,
  buildInference,
  buildTrainingStep,
} from '../graph/training-step.ts';
import type { UpdateOptions } from '../graph/update.ts';
import type { Objective } from '../objectives/objective.ts';
import { keptPrefix } from '../runtime/protocol.ts';

export interface StepDescription<Batch> {
  readonly encoder: Encoder;
  readonly objective: Objective<Batch>;
  /** Samples of a batch. */
  readonly samples: number;
  /** The most photos that a batch can name. */
  readonly photos: number;
  /** Whether photos are altered before they are encoded. */
  readonly augmented: boolean;
  /** Processes that share the photos and the samples of each batch. */
  readonly processes: number;
  readonly update: UpdateOptions;
}

/** How a step is cut. It decides how sums are rounded, so a run keeps the one it began with. */
export interface StepPlan {
  /** Photos that are encoded at a time. */
  readonly chunk: number;
  /** Chunks whose activations a process keeps at a time. */
  readonly group: number;
  /** Cores of a process that encode a share of its photos each, beside each other; 1 without it: all of them share every operator. */
  readonly shares?: number;
}

/**
 * Samples that are contrasted at a time where a step is not one graph: their scores with all photos take up to 8 MiB, and every
 * process has some.
 */
export function lossBlock<Batch>({ samples, photos, processes }: StepDescription<Batch>): number {
  const block = Math.max(16, Math.min(256, samples, Math.floor(2 ** 21 / photos)));
  return processes === 1 ? block : Math.min(block, Math.ceil(samples / processes));
}

/** Whether the activations of the whole batch are kept, by each process those of its own photos. */
export function keepsAll(
  { photos, processes }: Pick<StepDescription<unknown>, 'photos' | 'processes'>,
  { chunk, group }: StepPlan,
): boolean {
  return chunk * group * processes >= photos;
}

/** Whether the whole batch is one graph. What processes bring to each other goes from graph to graph. */
export function isFused(
  batch: Pick<StepDescription<unknown>, 'photos' | 'processes'>,
  plan: StepPlan,
): boolean {
  return batch.processes === 1 && keepsAll(batch, plan) && (plan.shares ?? 1) === 1;
}

/** Rows of the embeddings of so many photos: those of the last chunk, which may not be full, included. */
export function wholeChunks(photos: number, chunk: number): number {
  return Math.ceil(photos / chunk) * chunk;
}

/**
 * So many photos as a step encodes them: as many chunks by each core of each process, the last of which may not be full, or
 * empty. Who had less to do would only wait for the others.
 */
export function dealtPhotos(
  count: number,
  { chunk, shares = 1 }: StepPlan,
  group: Pick<ProcessGroup, 'rank' | 'size'>,
) {
  const rows = wholeChunks(count, chunk * shares * group.size);
  const parts = evenShares(rows, group);
  return { rows, parts, own: ownShare(parts, group) };
}

/** The parameters that a step trains. */
export function stepParameters<Batch>({ encoder, objective, samples }: StepDescription<Batch>) {
  const photos = photosInput(encoder, [openLength]);
  return parametersOf([objective.loss(l2Normalize(encoder.forward(photos)), samples).loss]);
}

/** Photos (N, c, S, S, 3) and samples → losses and the next parameters, all in one. */
export function fusedModel<Batch>(description: StepDescription<Batch>, { chunk }: Pick<StepPlan, 'chunk'>) {
  const { objective, samples, update } = description;
  const { embeddings, openAxes } = encodeChunks(description, chunk);
  const { loss, parts } = objective.loss(embeddings, samples);
  const options = { ...update, outputs: parts, openAxes: { ...openAxes, ...lossAxes(objective) } };
  return { model: buildTrainingStep(loss, options).model, losses: ['loss', ...Object.keys(parts)] };
}

/** Output of `contrastModel`. */
export const embeddingGradient = 'gradient.embeddings';
const chunkAxis = 'chunks';

/** Photos of a chunk → unit embeddings (c, d). */
export function encodeModel<Batch>(description: StepDescription<Batch>, layout: ParameterLayout) {
  const draws = drawInputs(description, []);
  const photos = photosInput(description.encoder, [openLength]);
  const embeddings = encoded(description, photos, draws.list);
  return buildInference({ embeddings }, layout, { photos: photoAxis, ...draws.openAxes });
}

/** Embeddings and a block of samples → its part of the loss, of the gradient of each embedding, and of the objective's own parameters. */
export function contrastModel<Batch>(description: StepDescription<Batch>, layout: ParameterLayout) {
  const { encoder, objective } = description;
  const embeddings = input('embeddings', 'float32', [openLength, encoder.dimension]);
  const { loss, parts } = objective.loss(embeddings, lossBlock(description));
  const own = layoutOf(parametersOf([loss]));
  const model = buildGradient(loss, scalar(1), layout, {
    of: own,
    outputs: { loss, ...parts },
    inputGradients: { embeddings },
    openAxes: { embeddings: photoAxis, ...lossAxes(objective) },
  });
  return { model, own, losses: ['loss', ...Object.keys(parts)] };
}

/** The open axes of what a loss is fed. */
function lossAxes<Batch>({ perPhoto, openAxes }: Objective<Batch>): Readonly<Record<string, string>> {
  return { ...Object.fromEntries(perPhoto.map((name) => [name, photoAxis])), ...openAxes };
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

/**
 * The two halves of `backwardModel` in one pass: chunks of photos → embeddings (N · c, d) and the activations, which stay with
 * the engine; those, the photos again and the gradients of the embeddings → `gradient` (P).
 */
export function shareModels<Batch>(
  description: StepDescription<Batch>,
  layout: ParameterLayout,
  { chunk }: Pick<StepPlan, 'chunk'>,
) {
  const { embeddings, kept, together, openAxes } = encodeChunks(description, chunk);
  const named = kept.map((tensor, index) => [`${keptPrefix}${index}`, tensor] as const);
  const keptAxis = together ? photoAxis : chunkAxis;
  const keptAxes = Object.fromEntries(named.map(([name]) => [name, keptAxis]));
  const open = { ...openAxes, ...keptAxes };
  const seed = input('seed', 'float32', embeddings.shape);
  const forward = buildInference({ embeddings, ...Object.fromEntries(named) }, layout, {
    ...open,
    embeddings: photoAxis,
  });
  const backward = buildGradient(embeddings, seed, layout, {
    given: new Map(named.map(([name, { shape }], index) => [kept[index]!, input(name, 'float32', shape)])),
    openAxes: { ...open, seed: photoAxis },
  });
  return { forward, backward };
}

/** Bytes of a photo, kept for the way back, up to which all chunks are encoded at once: products are the faster the larger they are. */
const fewActivations = 256 * 2 ** 10;

/**
 * The encoder over an open number of chunks: (N, c, S, S, 3) → (N · c, d). Of features that need few activations all at once.
 * @returns the embeddings, what is kept for the way back, (N, …) or (N · c, …), bytes that a chunk keeps of it and that it is fed, and
 * whether chunks are encoded together
 */
export function encodeChunks<Batch>(description: StepDescription<Batch>, chunk: number) {
  const draws = drawInputs(description, [chunk]);
  const photos = photosInput(description.encoder, [openLength, chunk]);
  const encode = (piece: Photos, drawn: readonly FloatTensor[]) => encoded(description, piece, drawn);
  const cut =
    photos.type === 'uint8' ? mapChunks(photos, draws.list, encode) : mapChunks(photos, draws.list, encode);
  const together = photos.type === 'float32' && cut.keptBytes <= chunk * fewActivations;
  const joined = (x: FloatTensor) => reshape(x, [openLength * chunk, ...x.shape.slice(2)]);
  const embeddings = together ? encoded(description, joined(photos), draws.list.map(joined)) : cut.result;
  const kept = together ? thereAndBack(embeddings, [photos, ...draws.list]).kept : cut.kept;
  const drawn = draws.list.reduce((total, { shape }) => total + 4 * sizeOf(shape.slice(1)), 0);
  const fedBytes = (photos.type === 'uint8' ? 1 : 4) * sizeOf(photos.shape.slice(1)) + drawn;
  return {
    embeddings,
    kept,
    keptBytes: cut.keptBytes,
    fedBytes,
    together,
    openAxes: { photos: chunkAxis, ...draws.openAxes },
  };
}

/**
 * What is drawn for the photos of a batch whose leading axes are open, then `rest`: how pixels are altered, or which hidden
 * units are kept; nothing where neither is.
 */
function drawInputs<Batch>({ augmented, encoder }: StepDescription<Batch>, rest: readonly number[]) {
  const axis = rest.length === 0 ? photoAxis : chunkAxis;
  const leading = [openLength, ...rest];
  if (encoder.hides != null)
    return {
      list: [input(keptUnits, 'float32', [...leading, encoder.hides.units])],
      openAxes: { [keptUnits]: axis },
    };
  if (!augmented) return { list: [], openAxes: {} };
  const { view, blur, colour } = augmentationInputs(leading);
  return { list: [view, blur, colour], openAxes: { view: axis, blur: axis, colour: axis } };
}

/** Input of a step: the factor of each hidden unit of each photo. */
export const keptUnits = 'kept';

/** @param draws those of `drawInputs` */
function encoded<Batch>(
  { encoder }: StepDescription<Batch>,
  photos: Photos,
  draws: readonly FloatTensor[],
): FloatTensor {
  if (photos.type === 'float32') return l2Normalize(encoder.forward(photos, draws[0] ?? null));
  const [view, blur, colour] = draws;
  const seen = view && blur && colour ? augment(photos, { view, blur, colour }) : photos;
  return l2Normalize(encoder.forward(seen));
}
