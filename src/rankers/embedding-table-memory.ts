/** Where the numbers of an embedding table lie: where WebAssembly can work on them, or in arrays of their own. */

/** Makes arrays of zeros, for which the operating system gives memory when they are first touched. */
export interface TableMemory {
  floats(length: number): Float32Array;
  integers(length: number): Int32Array;
  doubles(length: number): Float64Array;
}

/** Each array by itself: of any size that there is memory for, but out of WebAssembly's reach. */
export const separateArrays: TableMemory = {
  floats: (length) => new Float32Array(length),
  integers: (length) => new Int32Array(length),
  doubles: (length) => new Float64Array(length),
};
