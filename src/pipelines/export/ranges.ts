/** How far base features go. */
import { eachRow, placesOf } from '../../data/counters/numeric-rows.ts';
import type { Dataset } from '../../data/dataset.ts';

export interface Range {
  readonly name: string;
  readonly least: number;
  readonly most: number;
}

/** What all exposures of a dataset show of some base features. @throws Error for a name that there is not */
export function rangesOf({ exposures: { item, numeric } }: Dataset, names: readonly string[]): Range[] {
  const places = placesOf(numeric, names);
  const found = names.map((name, index) => ({
    name,
    at: places[index]!,
    least: Number.POSITIVE_INFINITY,
    most: Number.NEGATIVE_INFINITY,
  }));
  const rows = Int32Array.from(item, (_, row) => row);
  eachRow(numeric, rows, (values, from) => {
    for (const range of found) {
      const value = values[from + range.at]!;
      if (value < range.least) range.least = value;
      if (value > range.most) range.most = value;
    }
  });
  return found.map(({ name, least, most }) => ({ name, least, most }));
}
