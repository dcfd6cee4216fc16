/** The gradients of a batch summed per row, in memory that grows with the batch and not with the table. */

/** The row that stands for an empty place. It is zero and stays so. */
export const paddingRow = 0;

interface RowSums {
  /** d: how many rows there are, padding not counted. */
  readonly count: number;
  /** Each row once, in the order of their first occurrence. Valid until the next call. (d), or longer */
  readonly distinct: Int32Array;
  /** The summed gradient of each. Valid until the next call. (d, E), or longer */
  readonly sums: Float32Array;
}

export class GradientSums {
  /** Open addressing: a row number and the place of its sum, side by side. Padding marks a free entry. */
  #entries = new Int32Array(0);
  #distinct = new Int32Array(0);
  #sums = new Float32Array(0);

  /**
   * @param rows may repeat. (n)
   * @param gradient (n, E)
   */
  of(rows: Int32Array, gradient: Float32Array, dimension: number): RowSums {
    this.#prepare(rows.length, dimension);
    const [entries, distinct, sums] = [this.#entries, this.#distinct, this.#sums];
    const shift = Math.clz32(entries.length / 2 - 1);
    const mask = entries.length - 1;
    let count = 0;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      if (row === paddingRow) continue;
      // Multiplicative hashing (Knuth): the upper bits of the product depend on all bits of the row.
      let entry = 2 * (Math.imul(row, 0x9e3779b1) >>> shift);
      while (entries[entry] !== row && entries[entry] !== paddingRow) entry = (entry + 2) & mask;
      const from = index * dimension;
      if (entries[entry] === row) {
        const at = entries[entry + 1]! * dimension;
        for (let place = 0; place < dimension; place++) sums[at + place]! += gradient[from + place]!;
      } else {
        const at = count * dimension;
        for (let place = 0; place < dimension; place++) sums[at + place] = gradient[from + place]!;
        entries[entry] = row;
        entries[entry + 1] = count;
        distinct[count++] = row;
      }
    }
    return { count, distinct, sums };
  }

  /** Room for as many rows, at most two thirds full, and no entry taken. */
  #prepare(rows: number, dimension: number): void {
    const length = 2 * 2 ** Math.ceil(Math.log2(Math.max(2, 1.5 * rows)));
    if (this.#entries.length < length) this.#entries = new Int32Array(length);
    else this.#entries.fill(paddingRow);
    if (this.#distinct.length < rows) this.#distinct = new Int32Array(rows);
    if (this.#sums.length < rows * dimension) this.#sums = new Float32Array(rows * dimension);
  }
}
