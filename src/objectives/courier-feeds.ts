/** What a batch of clicks says to the COURIER loss, as arrays. */
import type { ClickBatch } from '../data/click-sampler.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import type { CourierInputs } from './courier.ts';
import { excluded } from './reconstruction.ts';

/** An array for each input: of floats or of rows. */
export type CourierFeeds = {
  readonly [Name in keyof CourierInputs]: CourierInputs[Name] extends FloatTensor ? Float32Array : Int32Array;
};

/**
 * The values of `courierInputs` for a whole batch.
 * @param rows rows of the embeddings, at least one per photo; those beyond belong to no photo and do not compete
 */
export function courierFeeds(batch: ClickBatch, rows: number): CourierFeeds {
  const samples = batch.clicked.length;
  const places = batch.history.length / samples;
  const takesPart = Float32Array.from(
    { length: samples },
    // A newest click can be rebuilt where there is an older one.
    (_, sample) =>
      batch.historyMask.subarray(sample * places + 1, (sample + 1) * places).includes(1) ? 1 : 0,
  );
  const part = takesPart.reduce((a, b) => a + b, 0);
  return {
    clicked: batch.clicked,
    history: batch.history,
    historyMask: batch.historyMask,
    newest: batch.newest,
    pageViewWeights: new Float32Array(samples).fill(1 / samples),
    sequenceWeights: takesPart.map((value) => value / Math.max(1, part)),
    candidateCounts: logCounts(batch.candidates, batch.candidateMask, rows),
    newestCounts: logCounts(batch.newest, takesPart, rows),
  };
}

/**
 * The samples from `first` on as a block of `size`. Where the batch ends, samples of weight 0 fill it.
 * @returns values of the same names, photos' counts unchanged
 */
export function blockOf(feeds: CourierFeeds, first: number, size: number): CourierFeeds {
  const samples = feeds.clicked.length;
  const range = (values: { readonly length: number }) => {
    const width = values.length / samples;
    return { from: first * width, to: (first + size) * width };
  };
  const floats = (values: Float32Array) => {
    const { from, to } = range(values);
    const block = new Float32Array(to - from);
    block.set(values.subarray(from, to));
    return block;
  };
  const rows = (values: Int32Array) => {
    const { from, to } = range(values);
    const block = new Int32Array(to - from);
    block.set(values.subarray(from, to));
    return block;
  };
  return {
    clicked: rows(feeds.clicked),
    history: rows(feeds.history),
    historyMask: floats(feeds.historyMask),
    newest: rows(feeds.newest),
    pageViewWeights: floats(feeds.pageViewWeights),
    sequenceWeights: floats(feeds.sequenceWeights),
    candidateCounts: feeds.candidateCounts,
    newestCounts: feeds.newestCounts,
  };
}

/** How often each row is named by indices of mask 1, as a logarithm. (rows, 1) */
function logCounts(indices: Int32Array, mask: Float32Array, rows: number): Float32Array {
  const counts = new Float32Array(rows);
  for (const [place, row] of indices.entries()) counts[row]! += mask[place]!;
  return counts.map((count) => (count === 0 ? excluded : Math.log(count)));
}
