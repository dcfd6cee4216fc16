/** The slices of a dataset's test rows, from the columns that ingestion wrote. */

import { columnsOf } from '../data/counters/numeric-rows.ts';
import type { Catalogue, CategoricalColumn, Dataset, Exposures } from '../data/dataset.ts';
import { CourierError } from '../errors.ts';
import {
  categorySlices,
  itemHistorySlices,
  popularitySlices,
  type Slice,
  userHistorySlices,
  userItemSlices,
} from '../metrics/slices.ts';

/** As much of a `Dataset` as slices are made of. */
export interface SlicedDataset extends Pick<Dataset, 'name'> {
  readonly catalogue: Pick<Catalogue, 'categories'>;
  readonly exposures: Omit<Exposures, 'clicked'>;
}

export interface DatasetSlicesOptions {
  /** Category columns of the catalogue or, where it has none of the name, of the event. */
  readonly categories?: readonly string[];
  /** Values of a category that get a slice of their own; the rest are one. */
  readonly valuesPerCategory?: number;
}

/**
 * Cold and warm items, new and returning users, what the user saw or clicked before and what not, deciles of popularity, and the values of
 * categories; those alone of a dataset without base features.
 *
 * @param testRows rows of the dataset, in the order of the scores that are to be sliced. (R)
 * @throws CourierError COLUMN_MISSING when the dataset lacks a column, DATASET_INVALID for a row it lacks
 */
export function datasetSlices(
  dataset: SlicedDataset,
  testRows: Int32Array,
  { categories = [], valuesPerCategory = 10 }: DatasetSlicesOptions = {},
): readonly Slice[] {
  const stranger = testRows.find((row) => !(row >= 0 && row < dataset.exposures.item.length));
  if (stranger !== undefined) {
    throw new CourierError(
      'DATASET_INVALID',
      `Row ${stranger} is not in dataset ${dataset.name}, which has ${dataset.exposures.item.length} exposures.`,
      'Slice the scores with the dataset that they were computed on.',
    );
  }
  const byCategory = categories.flatMap((name) => {
    const { values, codes } = categoryColumn(dataset, name, testRows);
    return categorySlices(name, values, codes, valuesPerCategory);
  });
  if (dataset.exposures.numeric.names.length === 0) return byCategory;
  return [
    ...itemHistorySlices(numericColumn(dataset, 'cold', testRows)),
    ...userHistorySlices(numericColumn(dataset, 'user_clicks_log', testRows)),
    ...userItemSlices(numericColumn(dataset, 'seen_before', testRows)),
    ...popularitySlices(numericColumn(dataset, 'item_clicks_log', testRows)),
    ...byCategory,
  ];
}

/** One base feature of the rows. (R) */
function numericColumn(
  { name: dataset, exposures }: SlicedDataset,
  name: string,
  rows: Int32Array,
): Float32Array {
  const { numeric } = exposures;
  if (!numeric.names.includes(name)) throw missing(`feature ${name}`, dataset, numeric.names);
  const [column] = columnsOf(numeric, [name], rows);
  return column!;
}

function categoryColumn(
  { name: dataset, catalogue, exposures }: SlicedDataset,
  name: string,
  rows: Int32Array,
) {
  const named = (column: CategoricalColumn): boolean => column.name === name;
  const ofItem = catalogue.categories.find(named);
  if (ofItem !== undefined) {
    return { values: ofItem.values, codes: rows.map((row) => ofItem.codes[exposures.item[row]!]!) };
  }
  const ofEvent = exposures.context.find(named);
  if (ofEvent === undefined) {
    const known = [...catalogue.categories, ...exposures.context].map((column) => column.name);
    throw missing(`category column ${name}`, dataset, known);
  }
  return { values: ofEvent.values, codes: rows.map((row) => ofEvent.codes[row]!) };
}

function missing(what: string, dataset: string, known: readonly string[]): CourierError {
  const there = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`;
  return new CourierError(
    'COLUMN_MISSING',
    `Dataset ${dataset} has no ${what}; ${there}.`,
    'Name a column that the dataset has, or ingest the log again.',
  );
}
