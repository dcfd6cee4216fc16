/** Where clusters live: on the unit sphere, or in Euclidean space. Both look for the largest inner product. */

/** What k-means has to know of the space of its rows. */
export interface Space {
  /** Makes a centre, in place, of the sum of a cluster's rows. False: the rows cancel out and have no centre. */
  settle(sum: Float64Array): boolean;
  /** What a row costs at the centre with which its inner product is `product`; 0 when it is the centre. */
  loss(product: number, row: Float32Array): number;
  /** The centre that a single row is, in place. */
  asCentre(row: Float32Array): void;
}

/** Sums of rows that are shorter than this point nowhere. */
const negligible = 1e-9;

/** Rows of length 1; a centre is their mean direction, a loss 1 − cosine (Dhillon and Modha, 2001). */
export const sphere: Space = {
  settle(sum) {
    const length = Math.sqrt(sum.reduce((total, value) => total + value * value, 0));
    if (length < negligible) return false;
    for (let i = 0; i < sum.length; i++) sum[i]! /= length;
    return true;
  },
  loss: (product) => Math.max(0, 1 - product),
  asCentre: () => {},
};

/**
 * Rows (x, 1) and centres (c, −|c|²/2): their inner product x·c − |c|²/2 is largest where |x − c|² = |x|² − 2 (x·c −
 * |c|²/2) is smallest, which is the loss. The last place of a sum counts its rows.
 */
export const euclidean: Space = {
  settle(sum) {
    const last = sum.length - 1;
    const count = sum[last]!;
    let squared = 0;
    for (let i = 0; i < last; i++) {
      sum[i]! /= count;
      squared += sum[i]! * sum[i]!;
    }
    sum[last] = -squared / 2;
    return true;
  },
  loss: (product, row) => Math.max(0, squaredLength(row) - 2 * product),
  asCentre(row) {
    row[row.length - 1] = -squaredLength(row) / 2;
  },
};

/** |x|² of a row (x, 1). */
function squaredLength(row: Float32Array): number {
  let squared = 0;
  for (let i = 0; i < row.length - 1; i++) squared += row[i]! * row[i]!;
  return squared;
}
