/** What may be looked at while something is learned: the photos of the training period. */
import { type Dataset, NONE, splits } from '../dataset.ts';

/** Photos of the items that the training period shows or remembers, ascending. */
export function trainingPhotos({ catalogue, pageViews, exposures }: Dataset): Int32Array {
  const photos = new Set<number>();
  const train = splits.indexOf('train');
  for (let pageView = 0; pageView < pageViews.user.length; pageView++) {
    if (pageViews.split[pageView] !== train) continue;
    const from = pageView * pageViews.historyLength;
    for (const item of pageViews.history.subarray(from, from + pageViews.historyLength)) {
      if (item !== NONE) photos.add(catalogue.photo[item]!);
    }
    for (let row = pageViews.start[pageView]!; row < pageViews.start[pageView + 1]!; row++) {
      photos.add(catalogue.photo[exposures.item[row]!]!);
    }
  }
  photos.delete(NONE);
  return Int32Array.from(photos).sort();
}
