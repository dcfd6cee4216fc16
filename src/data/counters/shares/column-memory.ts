/** Memory for columns that threads share. */
import type { SharedColumns } from './counted-log.ts';

/**
 * Gives columns of so many rows, in the memory of the call before the last where that is large enough: what came of the last call may
 * still be read.
 */
export function columnMemory(width: number): (rows: number) => SharedColumns {
  let [last, older]: [SharedColumns, SharedColumns] = [[], []];
  return (rows) => {
    const enough = older.length > 0 && older[0]!.length >= rows;
    const columns = enough ? older : Array.from({ length: width }, () => sharedFloats(rows));
    [last, older] = [columns, last];
    return columns.map((column) => column.subarray(0, rows));
  };
}

function sharedFloats(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}
