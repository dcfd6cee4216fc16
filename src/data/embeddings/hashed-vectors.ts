/** Vectors by SHA-256, of any number, in the arrays that they came in. */

export const digestBytes = 32;

/** Vectors that came together. */
export interface HashedBatch {
  /** SHA-256 of what each vector is of. (n, 32) */
  readonly digests: Uint8Array;
  /** (n, d) */
  readonly vectors: Float32Array;
}

/** Hashes in hexadecimal as bytes. (n) → (n, 32) */
export function digestsOf(hashes: readonly string[]): Uint8Array<ArrayBuffer> {
  const digests = new Uint8Array(hashes.length * digestBytes);
  for (const [row, hash] of hashes.entries()) writeDigest(digests, row, hash);
  return digests;
}

/** A row of (n, 32) in hexadecimal. */
export function hashAt(digests: Uint8Array, row: number): string {
  const { buffer, byteOffset } = digests;
  return Buffer.from(buffer, byteOffset + row * digestBytes, digestBytes).toString('hex');
}

/** Puts a hash in hexadecimal into its row of (n, 32). */
export function writeDigest(digests: Uint8Array, row: number, hash: string): void {
  const { buffer, byteOffset } = digests;
  Buffer.from(buffer, byteOffset + row * digestBytes, digestBytes).write(hash, 'hex');
}

/**
 * A hash table with open addressing over typed memory: 32 bytes and two or four slots of 8 bytes a vector, where a Map of
 * strings and views takes some 300 and ends at 2^24 entries.
 */
export class HashedVectors {
  readonly #batches: HashedBatch[] = [];
  #count = 0;
  /** A batch, counted from 1, and a row of it; 0 in a free slot. At most half of them are taken. (slots, 2) */
  #slots = new Int32Array(2 * 64);

  /** Keeps the arrays of a batch as they are. Of two vectors of one hash the later counts. */
  add(batch: HashedBatch): void {
    const count = batch.digests.length / digestBytes;
    this.#batches.push(batch);
    this.#count += count;
    if (4 * this.#count > this.#slots.length) this.#grow();
    else this.#enter(batch, this.#batches.length);
  }

  /** The vector (d) of a hash in hexadecimal, to be looked at; null where there is none. */
  get(hash: string): Float32Array | null {
    const slot = this.#slotOf(digestsOf([hash]), 0);
    const batch = this.#batches[this.#slots[slot]! - 1];
    if (batch === undefined) return null;
    const dimension = (batch.vectors.length * digestBytes) / batch.digests.length;
    const from = this.#slots[slot + 1]! * dimension;
    return batch.vectors.subarray(from, from + dimension);
  }

  /** Of all vectors, those of one hash too. (n, 32) */
  get digests(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#count * digestBytes);
    let end = 0;
    for (const { digests } of this.#batches) {
      all.set(digests, end);
      end += digests.length;
    }
    return all;
  }

  #grow(): void {
    let length = this.#slots.length;
    while (length < 4 * this.#count) length *= 2;
    this.#slots = new Int32Array(length);
    for (const [index, batch] of this.#batches.entries()) this.#enter(batch, index + 1);
  }

  #enter({ digests }: HashedBatch, number: number): void {
    for (let row = 0; row * digestBytes < digests.length; row++) {
      const slot = this.#slotOf(digests, row * digestBytes);
      this.#slots[slot] = number;
      this.#slots[slot + 1] = row;
    }
  }

  /** Where the digest at a place of some bytes is in the slots, or would be. */
  #slotOf(digests: Uint8Array, at: number): number {
    const last = this.#slots.length / 2 - 1;
    // The first bytes of a SHA-256 are as good a hash as any.
    const start =
      digests[at]! | (digests[at + 1]! << 8) | (digests[at + 2]! << 16) | (digests[at + 3]! << 24);
    for (let place = start & last; ; place = (place + 1) & last) {
      const batch = this.#batches[this.#slots[2 * place]! - 1];
      if (batch === undefined) return 2 * place;
      if (sameDigest(batch.digests, this.#slots[2 * place + 1]! * digestBytes, digests, at)) return 2 * place;
    }
  }
}

function sameDigest(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  for (let i = 0; i < digestBytes; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
