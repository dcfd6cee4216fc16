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
    newestCounts: logCounts(batch.newest, takesPart, rows),
  };
}

/** How often each row is named by indices of mask 1, as a logarithm. (rows, 1) */
function logCounts(indices: Int32Array, mask: Float32Array, rows: number): Float32Array {
  const counts = new Float32Array(rows);
  for (const [place, row] of indices.entries()) counts[row]! += mask[place]!;
  return counts.map((count) => (count === 0 ? excluded : Math.log(count)));
}
