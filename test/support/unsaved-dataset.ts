/** Datasets in memory as what is written. */

import type { Dataset } from '../../src/data/dataset.ts';
import { clickedRows, clicksOfExposures } from '../../src/data/long-history.ts';
import type { UnsavedDataset } from '../../src/data/store.ts';
import { numbersOf } from './numbers.ts';

type InMemory = Omit<Dataset, 'hash' | 'images' | 'clicks'> & { readonly images: UnsavedDataset['images'] };

export function unsaved({ exposures, ...rest }: InMemory): UnsavedDataset {
  const {
    item,
    clicked,
    context,
    numeric: { names },
  } = exposures;
  const numeric = numbersOf(exposures);
  const { start } = rest.pageViews;
  const clicks = clicksOfExposures(rest.pageViews, exposures, clickedRows(exposures), null);
  const width = names.length;
  return {
    ...rest,
    exposures: { item, clicked, context, logged: null },
    counted: { settings: { withExposures: false, lag: 0, period: 1 }, clicks, shown: null },
    numeric: {
      missing: new Set(
        names.filter((_, feature) =>
          numeric.some((value, place) => place % width === feature && Number.isNaN(value)),
        ),
      ),
      names,
      async *columnsOf(parts) {
        for (const { from, to } of parts) {
          const rows = numeric.subarray(start[from]! * width, start[to]! * width);
          yield names.map((_, feature) => rows.filter((_, place) => place % width === feature));
        }
      },
    },
  };
}
