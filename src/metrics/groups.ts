/** Rows grouped by an id, such as the user, without sorting. */

export interface Grouping {
  readonly count: number;
  /** Group of each row, numbered 0 … count - 1 in the order of their first rows. (R) */
  readonly ofRow: Int32Array;
  /** Rows of group g are rows[start[g]] … rows[start[g + 1] - 1], ascending or as `order` has them. (count + 1) */
  readonly start: Int32Array;
  readonly rows: Int32Array;
}

/**
 * @param ids any id per row, not necessarily dense. (R)
 * @param order the order that the rows of a group are wanted in: every row once. (R)
 */
export function groupRows(ids: Int32Array, order?: Uint32Array): Grouping {
  const numbers = new Map<number, number>();
  const ofRow = new Int32Array(ids.length);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    const number = numbers.get(id) ?? numbers.size;
    if (number === numbers.size) numbers.set(id, number);
    ofRow[row] = number;
  }
  const start = new Int32Array(numbers.size + 1);
  for (let row = 0; row < ids.length; row++) start[ofRow[row]! + 1]! += 1;
  for (let group = 0; group < numbers.size; group++) start[group + 1]! += start[group]!;
  const next = start.slice();
  const rows = new Int32Array(ids.length);
  for (let place = 0; place < ids.length; place++) {
    const row = order?.[place] ?? place;
    rows[next[ofRow[row]!]!++] = row;
  }
  return { count: numbers.size, ofRow, start, rows };
}
