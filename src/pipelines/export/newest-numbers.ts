/** Numbers that come with the log, such as prices, as they stand for each item. */
import { type Dataset, NONE } from '../../data/dataset.ts';

/** Exposures that are read at a time. */
const rowsAtATime = 4096;

/** What the log knew last of each item in the columns that come with it, before a moment; NaN where nothing. (N) each */
export function newestNumbers(
  { catalogue, pageViews, exposures }: Dataset,
  names: readonly string[],
  until: number,
): readonly { readonly name: string; readonly values: Float64Array }[] {
  const { numeric } = exposures;
  const columns = names.map((name) => {
    const values = new Float64Array(catalogue.ids.length).fill(Number.NaN);
    const at = numeric.names.indexOf(name);
    // Behind a column with gaps stands the one that says where.
    return { name, values, at, gap: numeric.means.has(name) ? at + 1 : NONE };
  });
  const width = numeric.names.length;
  const end = pageViews.time.findIndex((time) => time >= until);
  const rows = pageViews.start[end === -1 ? pageViews.user.length : end]!;
  for (let from = 0; from < rows && columns.length > 0; from += rowsAtATime) {
    const count = Math.min(rowsAtATime, rows - from);
    const part = Int32Array.from({ length: count }, (_, place) => from + place);
    const numbers = new Float32Array(count * width);
    numeric.fill(part, numbers);
    for (let index = 0; index < count; index++)
      for (const { values, at, gap } of columns)
        if (gap === NONE || numbers[index * width + gap] === 0)
          values[exposures.item[from + index]!] = numbers[index * width + at]!;
  }
  return columns.map(({ name, values }) => ({ name, values }));
}
