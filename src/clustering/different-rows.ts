/** Whether there are enough different rows for so many clusters. */
import { type RowSource, rowOf } from './centre-search.ts';
import { roundingLoss } from './space.ts';

interface KnownRow {
  readonly values: Float32Array;
  readonly squaredLength: number;
  /** From the first row of all. */
  readonly distance: number;
}

/**
 * Counts rows of which no two are equal but for rounding, up to `wanted`.
 * @param source rows in random order: the first few hold enough different ones, unless most are equal
 */
export function countDifferent(source: RowSource, wanted: number): number {
  if (source.count === 0) return 0;
  let seen = Math.min(source.count, 2 * wanted);
  let different = countAmong(source, seen, wanted);
  while (different < wanted && seen < source.count) {
    seen = Math.min(source.count, 4 * seen);
    different = countAmong(source, seen, wanted);
  }
  return different;
}

/**
 * Equal rows are about equally far from any third. So the first `seen` rows are gone through in the order of their
 * distance from one of them, and each is compared only with those before it that are about as far.
 */
function countAmong(source: RowSource, seen: number, wanted: number): number {
  const first = rowOf(source, 0);
  const distances = Float64Array.from({ length: seen }, (_, row) => {
    return Math.sqrt(squaredDistance(rowOf(source, row), first));
  });
  const order = Int32Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
  const longest = order.reduce((most, row) => Math.max(most, source.squaredLength(row)), 0);
  const reach = Math.sqrt(equality(first.length) * longest);
  const different: KnownRow[] = [];
  let near = 0;
  for (const index of order) {
    const distance = distances[index]!;
    const row = { values: rowOf(source, index), squaredLength: source.squaredLength(index), distance };
    while (near < different.length && distance - different[near]!.distance > reach) near++;
    let at = near;
    while (at < different.length && !areEqual(row, different[at]!)) at++;
    if (at === different.length) different.push(row);
    if (different.length === wanted) break;
  }
  return different.length;
}

function areEqual(a: KnownRow, b: KnownRow): boolean {
  const limit = equality(a.values.length) * Math.max(a.squaredLength, b.squaredLength);
  return squaredDistance(a.values, b.values, limit) <= limit;
}

/** Squared distance of rows that count as equal, as a share of their squared length: |x − y|² = 2 (1 − cosine). */
function equality(width: number): number {
  return 2 * roundingLoss(width);
}

/** |a − b|², or what of it has come together once that is above the limit. */
function squaredDistance(a: Float32Array, b: Float32Array, limit = Number.POSITIVE_INFINITY): number {
  let sum = 0;
  for (let i = 0; i < a.length && sum <= limit; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
