/** Base features of exposures, a row of equal length each: in memory, or in a file where they are many. */

/** Base features, raw: what is known without looking at a photo. */
export interface NumericRows {
  /** Of the columns. (F) */
  readonly names: readonly string[];
  /** What stands where a value is missing, by the name of each column in which one may be. */
  readonly means: ReadonlyMap<string, number>;
  /** Writes the values of these exposures row by row. (n) → (n, F) */
  fill(rows: Int32Array, out: Float32Array): void;
  /** Gives back what they lie in; no row is read afterwards. */
  close(): void;
}

/** Rows that lie in memory. @param values row-major (R, F) */
export function numericRows(names: readonly string[], values: Float32Array): NumericRows {
  const width = names.length;
  return {
    names,
    means: new Map(),
    fill(rows, out) {
      for (let index = 0, to = 0; index < rows.length; index++) {
        const from = rows[index]! * width;
        for (let column = 0; column < width; column++) out[to++] = values[from + column]!;
      }
    },
    close: () => undefined,
  };
}

/** No base features. */
export const noNumbers: NumericRows = numericRows([], new Float32Array());

/** The same rows without some of their columns. */
export function withoutColumns(numeric: NumericRows, isLeftOut: (name: string) => boolean): NumericRows {
  const width = numeric.names.length;
  const kept = [...numeric.names.keys()].filter((column) => !isLeftOut(numeric.names[column]!));
  return {
    names: kept.map((column) => numeric.names[column]!),
    means: new Map([...numeric.means].filter(([name]) => !isLeftOut(name))),
    fill(rows, out) {
      const whole = new Float32Array(rows.length * width);
      numeric.fill(rows, whole);
      for (let index = 0, to = 0; index < rows.length; index++)
        for (const column of kept) out[to++] = whole[index * width + column]!;
    },
    close: () => numeric.close(),
  };
}

/** Exposures that are read at a time. */
const chunk = 4096;

/** Gives the rows of exposures to `take`, one after the other: its F values are those of `values` from `from` on. */
export function eachRow(
  numeric: NumericRows,
  rows: Int32Array,
  take: (values: Float32Array, from: number, place: number) => void,
): void {
  const width = numeric.names.length;
  const memory = new Float32Array(Math.min(chunk, rows.length) * width);
  for (let from = 0; from < rows.length; from += chunk) {
    const part = rows.subarray(from, from + chunk);
    numeric.fill(part, memory);
    for (let index = 0; index < part.length; index++) take(memory, index * width, from + index);
  }
}

/** Where columns stand in a row. @throws Error for a name that there is not */
export function placesOf(numeric: Pick<NumericRows, 'names'>, names: readonly string[]): readonly number[] {
  return names.map((name) => {
    const place = numeric.names.indexOf(name);
    if (place === -1) throw new Error(`no base feature ${name}`);
    return place;
  });
}

/** Columns of these exposures, in the order of their names. (n) each @throws Error for a name that there is not */
export function columnsOf(
  numeric: NumericRows,
  names: readonly string[],
  rows: Int32Array,
): readonly Float32Array[] {
  const places = placesOf(numeric, names);
  const columns = names.map(() => new Float32Array(rows.length));
  eachRow(numeric, rows, (values, from, at) => {
    for (let index = 0; index < places.length; index++) columns[index]![at] = values[from + places[index]!]!;
  });
  return columns;
}
