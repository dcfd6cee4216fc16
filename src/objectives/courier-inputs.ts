/** What the COURIER loss takes of a batch of clicks: as a graph sees it, and the arrays that fill it. */
import type { ClickBatch } from '../data/samplers/click-sampler.ts';
import { type FloatTensor, input, openLength, type Tensor } from '../graph/tensor.ts';
import { excluded } from './reconstruction.ts';

/** Most candidates and history places of a sample. */
export interface CourierPlaces {
  readonly candidates: number;
  readonly history: number;
}

/**
 * Some samples of a batch as a graph sees them, with all photos of the batch to compete. Integers name rows of the embeddings.
 */
export interface CourierInputs {
  /** The clicked candidate of each sample. (S) */
  readonly clicked: Tensor<'int32'>;
  /** Earlier clicks of the user, newest first. (S, H) */
  readonly history: Tensor<'int32'>;
  /** 1 for a history place with a photo, 0 for padding. (S, H) */
  readonly historyMask: FloatTensor;
  /** The first place of each history. (S) */
  readonly newest: Tensor<'int32'>;
  /** Shares in L_pv and L_ucs, which sum to 1 over the batch. (S, 1) */
  readonly pageViewWeights: FloatTensor;
  readonly sequenceWeights: FloatTensor;
  /** log of how often each photo of the batch is a candidate. (U, 1) */
  readonly candidateCounts: FloatTensor;
  /** The photos that are the newest click of users with older ones, N of them. (N) */
  readonly newestKeys: Tensor<'int32'>;
  /** log of how often each of them is. (N, 1) */
  readonly newestCounts: FloatTensor;
}

/** The inputs of the loss for so many samples, history places and (an open number of) photos. */
export function courierInputs(samples: number, places: number, photos: number): CourierInputs {
  return {
    clicked: input('clicked', 'int32', [samples]),
    history: input('history', 'int32', [samples, places]),
    historyMask: input('historyMask', 'float32', [samples, places]),
    newest: input('newest', 'int32', [samples]),
    pageViewWeights: input('pageViewWeights', 'float32', [samples, 1]),
    sequenceWeights: input('sequenceWeights', 'float32', [samples, 1]),
    candidateCounts: input('candidateCounts', 'float32', [photos, 1]),
    newestKeys: input('newestKeys', 'int32', [openLength]),
    newestCounts: input('newestCounts', 'float32', [openLength, 1]),
  };
}

/** The axis of the photos that are the newest click of somebody: how many there are differs from batch to batch. */
export const courierAxes = { newestKeys: 'newest', newestCounts: 'newest' } as const;

/** An array for each input: of floats or of rows. */
export type CourierFeeds = {
  readonly [Name in keyof CourierInputs]: CourierInputs[Name] extends FloatTensor ? Float32Array : Int32Array;
};

/**
 * The values of `courierInputs` for a whole batch.
 * @param rows rows of the embeddings, at least one per photo; those beyond belong to no photo and do not compete
 * @param negatives which candidates compete: all that were shown, or only the clicked ones
 */
export function courierFeeds(
  batch: ClickBatch,
  rows: number,
  negatives: 'shown' | 'clicked' = 'shown',
): CourierFeeds {
  const samples = batch.clicked.length;
  const places = batch.history.length / samples;
  const takesPart = Float32Array.from(
    { length: samples },
    // A newest click can be rebuilt where there is an older one.
    (_, sample) =>
      batch.historyMask.subarray(sample * places + 1, (sample + 1) * places).includes(1) ? 1 : 0,
  );
  const everyClick = new Float32Array(samples).fill(1);
  const part = takesPart.reduce((a, b) => a + b, 0);
  return {
    clicked: batch.clicked,
    history: batch.history,
    historyMask: batch.historyMask,
    newest: batch.newest,
    pageViewWeights: new Float32Array(samples).fill(1 / samples),
    sequenceWeights: takesPart.map((value) => value / Math.max(1, part)),
    candidateCounts:
      negatives === 'shown'
        ? logCounts(batch.candidates, batch.candidateMask, rows)
        : logCounts(batch.clicked, everyClick, rows),
    ...newestKeys(batch.newest, takesPart, rows),
  };
}

/** Those that compete, as one key each; where none does, one that does not, since a graph wants at least one. */
function newestKeys(newest: Int32Array, takesPart: Float32Array, rows: number) {
  const counts = logCounts(newest, takesPart, rows);
  const competing = Int32Array.from(counts.keys()).filter((row) => counts[row]! > excluded);
  const keys = competing.length === 0 ? Int32Array.of(0) : competing;
  return { newestKeys: keys, newestCounts: Float32Array.from(keys, (row) => counts[row]!) };
}

/** How often each row is named by indices of mask 1, as a logarithm. (rows, 1) */
function logCounts(indices: Int32Array, mask: Float32Array, rows: number): Float32Array {
  const counts = new Float32Array(rows);
  for (const [place, row] of indices.entries()) counts[row]! += mask[place]!;
  return counts.map((count) => (count === 0 ? excluded : Math.log(count)));
}
