/** Where photos lie in a file that has each as JPEG. */
import { crc32 } from 'node:zlib';

/** Photos that follow each other without gaps, and the CRC-32 of the bytes of each. (M) each */
export interface PhotoIndex {
  /** Of the first byte. */
  readonly offset: Float64Array;
  readonly length: Int32Array;
  readonly checksum: Float64Array;
}

/** Bytes of the file. */
export function lengthOf({ offset, length }: PhotoIndex): number {
  return offset.length === 0 ? 0 : offset.at(-1)! + length.at(-1)!;
}

/** Appends photos to those of an index. */
export class PhotoIndexBuilder {
  readonly #lengths: number[] = [];
  readonly #checksums: number[] = [];

  constructor(before: PhotoIndex | null) {
    if (before === null) return;
    for (let row = 0; row < before.length.length; row++) {
      this.#lengths.push(before.length[row]!);
      this.#checksums.push(before.checksum[row]!);
    }
  }

  add(bytes: Uint8Array): void {
    this.#lengths.push(bytes.length);
    this.#checksums.push(crc32(bytes));
  }

  index(): PhotoIndex {
    const length = Int32Array.from(this.#lengths);
    const offset = new Float64Array(length.length);
    for (let row = 1; row < length.length; row++) offset[row] = offset[row - 1]! + length[row - 1]!;
    return { offset, length, checksum: Float64Array.from(this.#checksums) };
  }
}
