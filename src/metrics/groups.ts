/** Rows grouped by an id, such as the user, whatever numbers the ids are. */
import { type Groups, groupRows } from '../groups.ts';

export interface Grouping extends Groups {
  readonly count: number;
  /** Group of each row, numbered 0 … count - 1 in the order of their first rows. (R) */
  readonly ofRow: Int32Array;
}

/**
 * @param ids any id per row, not necessarily dense. (R)
 * @param order the order that the rows of a group are wanted in: every row once. (R)
 */
export function groupByIds(ids: Int32Array, order?: Uint32Array): Grouping {
  const numbers = new Map<number, number>();
  const ofRow = new Int32Array(ids.length);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]!;
    const number = numbers.get(id) ?? numbers.size;
    if (number === numbers.size) numbers.set(id, number);
    ofRow[row] = number;
  }
  return { count: numbers.size, ofRow, ...groupRows(ofRow, numbers.size, order) };
}
