/** Where clusters live: on the unit sphere, or in Euclidean space. Both look for the largest inner product. */

/** What k-means has to know of the space of its rows. */
export interface Space {
  /** Makes a centre, in place, of the sum of a cluster's rows. False: the rows cancel out and have no centre. */
  settle(sum: Float64Array): boolean;
  /** What a row of this squared length costs at the centre with which its inner product is `product`. */
  loss(product: number, squaredLength: number): number;
  /** The centre that a single row is, in place. */
  asCentre(row: Float32Array): void;
}

/**
 * A row with such a loss, as a share of its squared length, is equal to its centre but for rounding. A file in float16
 * moves a vector by up to 2⁻¹¹ of its length, so two copies of one differ by up to 2⁻¹⁰ and 1 − cosine by up to 2⁻²¹;
 * errors of a product in float32 grow as the root of the width. Here is room for twice that, and a few times that.
 */
export function roundingLoss(width: number): number {
  return 2 ** -22 * Math.max(4, Math.sqrt(width));
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
  loss: (product, squaredLength) => Math.max(0, squaredLength - 2 * product),
  asCentre(row) {
    let squared = 0;
    for (let i = 0; i < row.length - 1; i++) squared += row[i]! * row[i]!;
    row[row.length - 1] = -squared / 2;
  },
};
