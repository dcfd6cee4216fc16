/** How a step is cut so that it fits into memory: measured on this machine, with this encoder. */
import { CourierError } from '../errors.ts';
import type { ParameterLayout } from '../graph/parameters.ts';
import { gradientState } from '../graph/training-step.ts';
import type { ModelLoader, SharedLoader } from '../runtime/engine.ts';
import { formatBytes } from '../runtime/memory.ts';
import {
  backwardModel,
  encodeChunks,
  keepsAll,
  lossBlock,
  type StepDescription,
  type StepPlan,
} from './step-models.ts';

/** Photos of a chunk at most: more do not compute faster, since their activations leave the caches. */
const largestChunk = 32;
/** The same where chunks are computed together: the last one may not be full. */
const largestChunkTogether = 128;
/** The same of a share, whose activations are to stay in the caches of one core. */
const largestChunkOfShare = 8;
/** Bytes that a chunk keeps for the way back, at most where more than one photo is in it. */
const chunkBytes = 512 * 2 ** 20;
/** Chunks of a cut step whose activations are kept at a time: more would save nothing. */
const largestGroup = 4;
/** float32 matrices of samples by photos that the loss and its gradient hold at a time. */
const lossMatrices = 10;
/** Matrices of photos by dimensions that a cut step holds at a time: embeddings and their gradients, here and there. */
const embeddingMatrices = 6;
/** ONNX Runtime takes memory in steps, more than is asked of it. */
const allocated = 1.3;
/** Photos are held of what runs and of what is read meanwhile. */
const photoCopies = 2;
/** Each has memory of its own: the step or its way back, the encoder of a cut step, the encoder that is validated. */
const sessions = 3;

/** Bytes that a step takes on top of what the process has, by what they grow with. */
export interface StepBytes {
  /** Activations of a chunk that are kept for the way back. */
  readonly activations: number;
  /** Photos of a chunk and what is drawn for them, in all their copies. */
  readonly fed: number;
  /** Of the loss where all activations are kept: of one process that of the whole batch, in one graph with everything else. */
  readonly wholeLoss: number;
  /** Of the loss of a cut step, block by block, and of the embeddings that it keeps from part to part. */
  readonly cutLoss: number;
}

/** Chunks that each process has at least, where there are several: what one has more than another is waited for. */
const fewestChunks = 4;

/**
 * Finds the largest plan within the budget of a process: all of its photos at once, in shares of the cores where there are several,
 * or else groups of chunks. One chunk is run forward and back to see what it takes.
 * @param budget bytes that the process may take, what it has now included
 * @param room bytes that the step may take of them, where it is not alone; null: what the process does not have yet
 * @throws CourierError LIMIT_EXCEEDED when not even one photo at a time fits
 */
export async function planStep<Batch>(
  engine: SharedLoader,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  budget: number,
  room: number | null = null,
): Promise<StepPlan> {
  const before = process.memoryUsage.rss();
  for (let chunk = firstChunk(description); chunk >= 1; chunk = Math.floor(chunk / 2)) {
    const session = Math.max(0, (await measureChunk(engine, layout, description, chunk)) - before);
    const free = (room ?? budget - before) - sessions * session;
    const chunks = Math.ceil(description.photos / (chunk * description.processes));
    const bytes = stepBytes(description, chunk);
    const group =
      description.processes === 1 || engine.keepsInPlace
        ? largestGroupWithin(free, chunks, bytes)
        : largestGroupCut(free, Math.max(1, chunks - 1), bytes);
    if (group >= 1) return inShares(engine.cores, description, { chunk, group });
  }
  throw new CourierError(
    'LIMIT_EXCEEDED',
    `A training step does not fit into ${formatBytes(room ?? budget)} of memory, not even one photo at a time.`,
    'Allow more with --memory, choose a smaller encoder or batch, or lower `parallel` where several train at a time.',
  );
}

/**
 * The same plan for a step that keeps its activations, not in one graph: with a share of the photos for each core, unless chunks are
 * computed together, and with small chunks, which waste little where the last ones are not full.
 */
export function inShares<Batch>(
  cores: number,
  description: StepDescription<Batch>,
  plan: StepPlan,
): StepPlan {
  const { processes } = description;
  const photos = Math.ceil(description.photos / processes);
  const shares = encodeChunks(description, plan.chunk).together ? 1 : Math.min(cores, photos);
  if (shares * processes === 1 || !keepsAll(description, plan)) return plan;
  const chunk = Math.min(plan.chunk, largestChunkOfShare, Math.ceil(photos / shares));
  return { chunk, group: Math.ceil(photos / chunk), shares };
}

/** What a step takes whose chunks are of so many photos. */
export function stepBytes<Batch>(description: StepDescription<Batch>, chunk: number): StepBytes {
  const { samples, photos, encoder, objective, processes } = description;
  const { keptBytes, fedBytes } = encodeChunks(description, chunk);
  const loss = (rows: number) => objective.lengths * lossMatrices * 4 * rows * photos;
  const cutLoss = loss(lossBlock(description)) + embeddingMatrices * 4 * encoder.dimension * photos;
  return {
    activations: allocated * keptBytes,
    fed: photoCopies * fedBytes,
    // Of several processes each contrasts block by block.
    wholeLoss: processes === 1 ? loss(samples) : cutLoss,
    cutLoss,
  };
}

/** Chunks of a process whose activations can be kept at a time: all, or else a few; 0 where not even one fits into `free` bytes. */
export function largestGroupWithin(
  free: number,
  chunks: number,
  { activations, fed, wholeLoss, cutLoss }: StepBytes,
): number {
  const perChunk = activations + fed;
  if (chunks * perChunk + wholeLoss <= free) return chunks;
  // One less than all, since all of them would be kept again.
  return largestGroupCut(free, chunks - 1, { activations, fed, cutLoss });
}

/** The same of a step that is cut. */
function largestGroupCut(
  free: number,
  chunks: number,
  { activations, fed, cutLoss }: Omit<StepBytes, 'wholeLoss'>,
): number {
  return Math.max(0, Math.min(largestGroup, chunks, Math.floor((free - cutLoss) / (activations + fed))));
}

function firstChunk<Batch>(description: StepDescription<Batch>): number {
  const { keptBytes: perPhoto, together } = encodeChunks(description, 1);
  const { photos, processes } = description;
  const most = processes === 1 ? photos : Math.ceil(photos / (fewestChunks * processes));
  let chunk = together ? largestChunkTogether : largestChunk;
  while (chunk > 1 && (chunk > most || chunk * perPhoto > chunkBytes)) chunk /= 2;
  return chunk;
}

/** Bytes that the process has after one chunk went forward and back. */
async function measureChunk<Batch>(
  engine: ModelLoader,
  layout: ParameterLayout,
  description: StepDescription<Batch>,
  chunk: number,
): Promise<number> {
  const vector = () => new Float32Array(layout.size);
  const state = await engine.createState({ parameters: vector(), [gradientState]: vector() });
  const model = backwardModel(description, layout, { chunk });
  const session = await engine.load(model, state);
  const feeds = Object.entries(model.inputs).filter(
    ([name]) => name !== 'parameters' && name !== gradientState,
  );
  const filled = feeds.map(([name, { type, shape }]) => {
    const size = shape.slice(1).reduce((product, length) => product * length, 1);
    // The seed has a row per photo of the chunk, everything else one piece per chunk.
    return [
      name,
      type === 'uint8' ? new Uint8Array(size) : new Float32Array(name === 'seed' ? size * chunk : size),
    ];
  });
  await session.run(Object.fromEntries(filled));
  const used = process.memoryUsage.rss();
  await session.release();
  await state.release();
  return used;
}
