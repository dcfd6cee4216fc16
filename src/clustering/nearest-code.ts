/** The codes of one new vector, without a compute thread: what `nearestCentres` and `encodeResiduals` give it. */

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

function best(count: number, valueOf: (place: number) => number): number {
  let [found, most] = [0, Number.NEGATIVE_INFINITY];
  for (let place = 0; place < count; place++) {
    const value = valueOf(place);
    if (value > most) [found, most] = [place, value];
  }
  return found;
}

function product(vector: Float32Array, rows: Float32Array, row: number): number {
  let sum = 0;
  for (let i = 0, at = row * vector.length; i < vector.length; i++, at++) sum += vector[i]! * rows[at]!;
  return sum;
}
