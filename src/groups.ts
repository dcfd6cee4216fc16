/** Rows grouped by a key, by a counting sort, which keeps their order. */

/** Rows of each key: those of key k are rows[start[k]] … rows[start[k + 1] - 1]. */
export interface Groups {
  /** (K + 1) */
  readonly start: Int32Array;
  /** (R) */
  readonly rows: Int32Array;
}

/**
 * @param keys of each row, below `keyCount` K. (R)
 * @param order in which the rows of a key are wanted, every row once; ascending without it. (R)
 */
export function groupRows(keys: Int32Array, keyCount: number, order?: Uint32Array): Groups {
  const start = new Int32Array(keyCount + 1);
  for (const key of keys) start[key + 1]!++;
  for (let key = 0; key < keyCount; key++) start[key + 1]! += start[key]!;
  const next = start.slice(0, keyCount);
  const rows = new Int32Array(keys.length);
  for (let place = 0; place < keys.length; place++) {
    const row = order?.[place] ?? place;
    rows[next[keys[row]!]!++] = row;
  }
  return { start, rows };
}
