/** The centres that k-means begins with. */
import type { Random } from '../random.ts';
import { type CentreSearch, type RowSource, rowOf } from './centre-search.ts';
import { roundingLoss, type Space } from './space.ts';

export const initializations = ['k-means++', 'random'] as const;
export type Initialization = (typeof initializations)[number];

/** So many centres are drawn for one that there is, before the losses are measured again; and so many at most. */
const [growth, mostDrawn] = [1 / 2, 2048];
/** A round ends early after so many draws for each wanted: what it measures against has become too old. */
const patience = 8;

/**
 * k rows as centres: the first k (rows come in random order), or spread out by k-means++.
 * @param source at least k rows
 * @returns (k, width)
 */
export async function initialCentres(
  initialization: Initialization,
  source: RowSource,
  clusters: number,
  space: Space,
  search: CentreSearch,
  random: Random,
  signal?: AbortSignal,
): Promise<Float32Array> {
  if (initialization === 'random')
    return centresOf(
      Int32Array.from({ length: clusters }, (_, i) => i),
      source,
      space,
    );
  return centresOf(await spreadRows(source, clusters, space, search, random, signal), source, space);
}

/**
 * k-means++ (Arthur and Vassilvitskii, 2007): each next centre is a row drawn with a probability proportional to its
 * loss at the nearest centre so far. Losses are measured for a round of draws together, as products of matrices;
 * within a round a row that was drawn by its old loss is accepted with the probability new loss / old loss, which
 * comes to the same.
 */
async function spreadRows(
  source: RowSource,
  clusters: number,
  space: Space,
  search: CentreSearch,
  random: Random,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const losses = new Float32Array(source.count).fill(Number.POSITIVE_INFINITY);
  const rounding = roundingLoss(search.width);
  const chosen = new Int32Array(clusters);
  chosen[0] = random.integer(source.count);
  let [known, count] = [0, 1];
  while (count < clusters) {
    await search.setCentres(centresOf(chosen.subarray(known, count), source, space));
    for await (const { from, product } of search.find(source)) {
      signal?.throwIfAborted();
      for (let i = 0; i < product.length; i++) {
        const squaredLength = source.squaredLength(from + i);
        const loss = space.loss(product[i]!, squaredLength);
        // What is equal to a centre is never drawn.
        if (loss < losses[from + i]!) losses[from + i] = loss > rounding * squaredLength ? loss : 0;
      }
    }
    for (let i = known; i < count; i++) losses[chosen[i]!] = 0;
    known = count;
    const wanted = Math.min(clusters - count, Math.ceil(count * growth), mostDrawn);
    for (const row of drawRows(source, losses, wanted, space, random)) chosen[count++] = row;
    if (count === known)
      for (const row of leftOver(chosen.subarray(0, count), clusters)) chosen[count++] = row;
  }
  return chosen;
}

/** Up to `wanted` rows, none where every loss is 0. */
function drawRows(
  source: RowSource,
  losses: Float32Array,
  wanted: number,
  space: Space,
  random: Random,
): readonly number[] {
  const sums = new Float64Array(losses.length);
  let total = 0;
  for (let row = 0; row < losses.length; row++) {
    total += losses[row]!;
    sums[row] = total;
  }
  const [drawn, centres]: [number[], Float32Array[]] = [[], []];
  for (let draw = 0; draw < patience * wanted && drawn.length < wanted && total > 0; draw++) {
    const row = firstAbove(sums, random.uniform() * total);
    const [values, squaredLength] = [rowOf(source, row), source.squaredLength(row)];
    const chance = random.uniform() * losses[row]!;
    if (drawn.includes(row) || centres.some((each) => space.loss(dot(values, each), squaredLength) <= chance))
      continue;
    drawn.push(row);
    space.asCentre(values);
    centres.push(values);
  }
  return drawn;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The first place whose value is above the limit. */
function firstAbove(ascending: Float64Array, limit: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where every row is equal to a centre: the first others, whose clusters stay empty until there are more rows. */
function leftOver(chosen: Int32Array, clusters: number): readonly number[] {
  const taken = new Set(chosen);
  const rows: number[] = [];
  for (let row = 0; rows.length < clusters - chosen.length; row++) if (!taken.has(row)) rows.push(row);
  return rows;
}

function centresOf(rows: Int32Array, source: RowSource, space: Space): Float32Array {
  const parts = Array.from(rows, (row) => rowOf(source, row));
  const width = parts[0]!.length;
  const centres = new Float32Array(rows.length * width);
  for (const [index, part] of parts.entries()) {
    space.asCentre(part);
    centres.set(part, index * width);
  }
  return centres;
}
