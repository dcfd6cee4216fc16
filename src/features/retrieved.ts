/** The part of a long history that looks most like the candidate. */
import { type FeatureData, pageViewOfRows, showSamePhoto } from '../data/dataset.ts';
import { LongHistories, longHistoryLength } from '../data/long-history.ts';
import type { EmbeddedItems } from './item-embeddings.ts';

/** Items that are retrieved at most (MUSE, arXiv 2512.07216: the 50 nearest of 1,000 clicks, by the cosine alone). */
export const retrievedLength = 50;

/**
 * As with the recent history, what shows the candidate's own photo is not compared.
 * @returns a function that gives the largest cosines of one exposure's candidate with its user's long history, ascending,
 * at most 50; to be read before the next call
 */
export function retrievedCosines(
  data: FeatureData,
  embeddings: EmbeddedItems,
): (row: number) => Float32Array {
  const { catalogue, exposures } = data;
  const pageViewOf = pageViewOfRows(data);
  const histories = new LongHistories(data);
  const cosines = new Float32Array(longHistoryLength);
  return (row) => {
    const candidate = exposures.item[row]!;
    if (embeddings.present[candidate] === 0) return cosines.subarray(0, 0);
    const history = histories.before(pageViewOf[row]!);
    let count = 0;
    for (let place = 0; place < history.length; place++) {
      const clicked = history[place]!;
      if (embeddings.present[clicked] === 0 || showSamePhoto(catalogue, candidate, clicked)) continue;
      cosines[count++] = embeddings.cosine(candidate, clicked);
    }
    return cosines
      .subarray(0, count)
      .sort()
      .subarray(Math.max(0, count - retrievedLength));
  };
}
