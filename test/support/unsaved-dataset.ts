/** Datasets in memory as what is written. */
import type { Dataset } from '../../src/data/dataset.ts';
import type { UnsavedDataset } from '../../src/data/store.ts';

type InMemory = Omit<Dataset, 'hash' | 'images'> & { readonly images: UnsavedDataset['images'] };

export function unsaved({ exposures, ...rest }: InMemory): UnsavedDataset {
  const { item, clicked, context, numeric, numericNames } = exposures;
  const { start } = rest.pageViews;
  const width = numericNames.length;
  let from = 0;
  return {
    ...rest,
    exposures: { item, clicked, context, logged: null },
    numeric: {
      missing: new Set(
        numericNames.filter((_, feature) =>
          numeric.some((value, place) => place % width === feature && Number.isNaN(value)),
        ),
      ),
      names: numericNames,
      async next(until) {
        const rows = numeric.subarray(start[from]! * width, start[until]! * width);
        from = until;
        return numericNames.map((_, feature) => rows.filter((_, place) => place % width === feature));
      },
    },
  };
}
