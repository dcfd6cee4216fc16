/** The codes of one new vector, without a compute thread: what `nearestCentres` and `encodeResiduals` give it. */

import { NONE } from '../data/dataset.ts';
import type { Centres, ItemCodes } from '../data/embeddings/clusters.ts';

/**
 * The centre with the largest cosine; of equally good ones the first.
 * @param centres (k, d)
 */
export function nearestCode(vector: Float32Array, centres: Float32Array): number {
  return best(centres.length / vector.length, (centre) => product(vector, centres, centre));
}

/**
 * A code for each level: the entry of the codebook that is nearest to what the levels before left over.
 * @param codebooks L × (K, d)
 */
export function residualCodes(vector: Float32Array, codebooks: readonly Float32Array[]): readonly number[] {
  const left = vector.slice();
  const dimension = vector.length;
  return codebooks.map((codebook) => {
    const code = best(codebook.length / dimension, (entry) => {
      let squared = 0;
      for (let i = entry * dimension; i < (entry + 1) * dimension; i++)
        squared += codebook[i]! * codebook[i]!;
      return product(left, codebook, entry) - squared / 2;
    });
    for (let i = 0; i < dimension; i++) left[i]! -= codebook[code * dimension + i]!;
    return code;
  });
}

/**
 * The code of one embedding in each column of a catalogue, by the centres behind them.
 * @param centres of clusters, and of the levels of residual codes in their order
 */
export function codesOf(vector: Float32Array, centres: readonly Centres[]): readonly number[] {
  const levels = centres.filter(({ name }) => name.startsWith('semantic_'));
  const codebooks = levels.map(({ values }) => values);
  const semantic = residualCodes(vector, codebooks);
  return centres.map((column) => {
    const level = levels.indexOf(column);
    return level === -1 ? nearestCode(vector, column.values) : semantic[level]!;
  });
}

/** Columns in which items that have an embedding and no codes get theirs. @param vectors (N, d) */
export function completedCodes(
  columns: readonly ItemCodes[],
  centres: readonly Centres[],
  vectors: Float32Array,
  dimension: number,
): readonly ItemCodes[] {
  const completed = columns.map((column) => ({ ...column, codes: column.codes.slice() }));
  const [first] = completed;
  for (let item = 0; item < (first?.codes.length ?? 0); item++) {
    const vector = vectors.subarray(item * dimension, (item + 1) * dimension);
    if (first?.codes[item] !== NONE || vector.every((value) => value === 0)) continue;
    for (const [place, code] of codesOf(vector, centres).entries()) completed[place]!.codes[item] = code;
  }
  return completed;
}

function best(count: number, worthOf: (place: number) => number): number {
  let [found, most] = [0, Number.NEGATIVE_INFINITY];
  for (let place = 0; place < count; place++) {
    const value = worthOf(place);
    if (value > most) [found, most] = [place, value];
  }
  return found;
}

function product(vector: Float32Array, rows: Float32Array, row: number): number {
  let sum = 0;
  for (let i = 0, at = row * vector.length; i < vector.length; i++, at++) sum += vector[i]! * rows[at]!;
  return sum;
}
