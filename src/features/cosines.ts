/** How much a candidate looks like what its user clicked before. */
import { type FeatureData, NONE, pageViewOfRows } from '../data/dataset.ts';
import type { ItemEmbeddings } from './item-embeddings.ts';

/** Told for each history place that can be compared: both have a photo. Place 0 is the newest click. */
type UseCosine = (place: number, cosine: number) => void;

/**
 * @param places newest history places to compare
 * @returns a function that goes through the history of one exposure
 */
export function historyCosines(
  data: FeatureData,
  embeddings: ItemEmbeddings,
  places: number,
): (row: number, use: UseCosine) => void {
  const { exposures, pageViews } = data;
  const pageViewOf = pageViewOfRows(data);
  const compared = Math.min(places, pageViews.historyLength);
  return (row, use) => {
    const candidate = exposures.item[row]!;
    if (embeddings.present[candidate] === 0) return;
    const history = pageViewOf[row]! * pageViews.historyLength;
    for (let place = 0; place < compared; place++) {
      const clicked = pageViews.history[history + place]!;
      if (clicked === NONE || embeddings.present[clicked] === 0) continue;
      use(place, embeddings.cosine(candidate, clicked));
    }
  };
}
