/** The values that a batch gives the inputs of a loss, whole or cut into blocks of samples. */

/** The loss is a sum over samples, so blocks add up. */
export interface BatchFeeds {
  readonly whole: Arrays;
  /** The samples from `first` on, filled up to `size` with samples of zeros, and so of weight 0. */
  block(first: number, size: number): Arrays;
}

type RowArray = Float32Array | Int32Array;
type Arrays = Readonly<Record<string, RowArray>>;

/**
 * @param perSample values with as many rows as there are samples
 * @param shared values that every block gets as they are
 */
export function inBlocks(samples: number, perSample: Arrays, shared: Arrays): BatchFeeds {
  return {
    whole: { ...perSample, ...shared },
    block(first, size) {
      const rows = Object.entries(perSample).map(([name, values]) => [
        name,
        rowsOf(values, values.length / samples, first, size),
      ]);
      return { ...Object.fromEntries(rows), ...shared };
    },
  };
}

/** Rows `first` to `first + size` of so many values each; rows beyond the last are zeros. */
function rowsOf(values: RowArray, width: number, first: number, size: number): RowArray {
  const [from, to] = [first * width, (first + size) * width];
  if (values instanceof Float32Array) {
    const rows = new Float32Array(to - from);
    rows.set(values.subarray(from, to));
    return rows;
  }
  const rows = new Int32Array(to - from);
  rows.set(values.subarray(from, to));
  return rows;
}
