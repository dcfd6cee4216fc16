/** How much a candidate looks like what its user clicked before. */
import { type FeatureData, NONE, pageViewOfRows, showSamePhoto } from '../data/dataset.ts';
import type { EmbeddedItems } from './item-embeddings.ts';

/** Told for each history place that can be compared: both have a photo, and not the same. Place 0 is the newest click. */
type UseCosine = (place: number, cosine: number) => void;

/**
 * A candidate is not compared with itself, nor with a copy of its photo: a cosine of 1 to an item that was clicked before is
 * no knowledge of a photo, and with it vectors of noise would tell clicks apart. The ranker has `clicked_before` for that.
 * @param places newest history places to compare
 * @returns a function that goes through the history of one exposure
 */
export function historyCosines(
  data: FeatureData,
  embeddings: EmbeddedItems,
  places: number,
): (row: number, use: UseCosine) => void {
  const { catalogue, exposures, pageViews } = data;
  const pageViewOf = pageViewOfRows(data);
  const compared = Math.min(places, pageViews.historyLength);
  return (row, use) => {
    const candidate = exposures.item[row]!;
    if (embeddings.present[candidate] === 0) return;
    const history = pageViewOf[row]! * pageViews.historyLength;
    for (let place = 0; place < compared; place++) {
      const clicked = pageViews.history[history + place]!;
      if (clicked === NONE || embeddings.present[clicked] === 0) continue;
      if (showSamePhoto(catalogue, candidate, clicked)) continue;
      use(place, embeddings.cosine(candidate, clicked));
    }
  };
}
