/** Base features of all exposures at once, as only tests want them. */
import type { Exposures } from '../../src/data/dataset.ts';

/** Row-major. (R, F) */
export function numbersOf({ item, numeric }: Pick<Exposures, 'item' | 'numeric'>): Float32Array {
  const values = new Float32Array(item.length * numeric.names.length);
  numeric.fill(
    item.map((_, row) => row),
    values,
  );
  return values;
}

/** The same with base features that can be compared. */
export function comparable<Data extends { readonly exposures: Exposures }>({ exposures, ...rest }: Data) {
  const { numeric, ...others } = exposures;
  return { ...rest, exposures: { ...others, names: numeric.names, numbers: numbersOf(exposures) } };
}
