/**
 * Embeddings by the hash of their photo: those of the last output, those that an interrupted run left beside
 * it, and those of this run, which are saved batch by batch.
 *
 * The partial file is a line of JSON, the origin of its embeddings, then one chunk per batch: the number n of
 * photos and the length d of an embedding (uint32, little-endian), n hashes of 32 bytes, n · d float32 values,
 * and the SHA-256 of all that. Reading ends at the first chunk that is not whole, which is cut off: whatever
 * was being written when the process died is computed again.
 */

import { createHash } from 'node:crypto';
import { type FileHandle, open, rm, truncate, writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { readParquetMetadata } from '../../data/duckdb/parquet-table.ts';
import { readHashedEmbeddings } from '../../data/embeddings/embeddings.ts';
import {
  digestBytes,
  digestsOf,
  type HashedBatch,
  HashedVectors,
} from '../../data/embeddings/hashed-vectors.ts';
import { type Origin, type Provenance, provenanceIn } from '../../data/embeddings/provenance.ts';
import { CourierError } from '../../errors.ts';
import { asOutputError, exists } from '../../storage/files.ts';
import { parseJson } from '../../storage/json.ts';

/** What earlier runs left: an origin is that of this run, or another. */
export type Leftover = 'none' | 'same origin' | 'another origin';

/** What embeddings have in common that can stand beside each other in one output. */
export type StoreOrigin = Origin & Pick<Provenance, 'pixels'>;

export class EmbeddingStore {
  /** What was found at the output and beside it. */
  readonly found: Leftover;
  readonly #vectors: HashedVectors;
  readonly #path: string;
  /** Starts the partial file, or cuts it off behind its last whole chunk. */
  readonly #prepare: () => Promise<void>;
  #file: FileHandle | null = null;

  private constructor(path: string, vectors: HashedVectors, found: Leftover, prepare: () => Promise<void>) {
    this.#path = path;
    this.#vectors = vectors;
    this.#prepare = prepare;
    this.found = found;
  }

  /**
   * Opens what there is for an output; its folder exists. The caller closes the store.
   * @throws CourierError OUTPUT_EXISTS when the output is no file of embeddings
   */
  static async open(output: string, origin: StoreOrigin): Promise<EmbeddingStore> {
    const path = `${output}.partial`;
    const vectors = new HashedVectors();
    const finished = await readFinished(output, origin, vectors);
    const begun = await readPartial(path, origin, vectors);
    const both = [finished, begun.found];
    const found =
      both.find((each) => each === 'same origin') ?? both.find((each) => each !== 'none') ?? 'none';
    const prepare = () =>
      begun.found === 'same origin' ? truncate(path, begun.length) : writeFile(path, headerOf(origin));
    return new EmbeddingStore(path, vectors, found, prepare);
  }

  /** SHA-256 of the photos whose embeddings it has. (n, 32) */
  get digests(): Uint8Array<ArrayBuffer> {
    return this.#vectors.digests;
  }

  has(hash: string): boolean {
    return this.#vectors.get(hash) !== null;
  }

  /** The embedding (d) of a photo that the store has. */
  of(hash: string): Float32Array {
    const vector = this.#vectors.get(hash);
    if (vector === null) throw new Error(`there is no embedding of ${hash}`);
    return vector;
  }

  /**
   * Keeps a batch: when this returns, killing the process loses none of it. (n), (n, d)
   * @throws CourierError OUTPUT_NOT_WRITABLE
   */
  async add(hashes: readonly string[], vectors: Float32Array): Promise<void> {
    const batch = { digests: digestsOf(hashes), vectors };
    try {
      if (this.#file === null) await this.#prepare();
      this.#file ??= await open(this.#path, 'a');
      await this.#file.writeFile(chunkOf(batch));
    } catch (error) {
      throw asOutputError(error, this.#path);
    }
    this.#vectors.add(batch);
  }

  /** Removes the partial file: everything is in the output. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

/** Adds what the last output holds. */
async function readFinished(output: string, origin: StoreOrigin, vectors: HashedVectors): Promise<Leftover> {
  if (!(await exists(output))) return 'none';
  try {
    const { origin: found, pixels } = provenanceIn(await readParquetMetadata(output));
    const own = found === null || pixels === undefined ? found : { ...found, pixels };
    if (!isDeepStrictEqual(own, origin)) return 'another origin';
    vectors.add(await readHashedEmbeddings(output));
    return 'same origin';
  } catch (error) {
    if (!(error instanceof CourierError)) throw error;
    const remedy = 'Choose another output file, or delete this one.';
    throw new CourierError('OUTPUT_EXISTS', `${output} holds something else than embeddings.`, remedy, {
      cause: error,
    });
  }
}

interface Begun {
  readonly found: Leftover;
  /** Bytes of the partial file up to the end of its last whole chunk. */
  readonly length: number;
}

/** Adds what the whole chunks of the partial file hold. */
async function readPartial(path: string, origin: StoreOrigin, vectors: HashedVectors): Promise<Begun> {
  if (!(await exists(path))) return { found: 'none', length: 0 };
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = await bytesAt(file, 0, Math.min(size, longestHeader));
    let length = start.indexOf('\n') + 1;
    if (length === 0) return { found: 'none', length };
    if (!isDeepStrictEqual(parseJson(start.toString('utf8', 0, length)), origin))
      return { found: 'another origin', length: 0 };
    for (let added = length; added > 0 && length < size; length += added) {
      const window = await bytesAt(file, length, Math.min(longestChunk, size - length));
      added = addChunks(window, vectors);
    }
    return { found: 'same origin', length };
  } finally {
    await file.close();
  }
}

function headerOf(origin: StoreOrigin): string {
  return `${JSON.stringify(origin)}\n`;
}

const countBytes = 8;
const checksumBytes = 32;
const longestHeader = 2 ** 16;
/** So much of the file is read at once: many batches. */
const longestChunk = 2 ** 24;

function chunkOf({ digests, vectors }: HashedBatch): Buffer {
  const counts = Buffer.alloc(countBytes);
  const count = digests.length / digestBytes;
  counts.writeUInt32LE(count, 0);
  counts.writeUInt32LE(vectors.length / count, 4);
  const values = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  const content = Buffer.concat([counts, digests, values]);
  if (content.length + checksumBytes > longestChunk)
    throw new Error(`a batch of ${content.length} bytes is too long`);
  return Buffer.concat([content, checksum(content)]);
}

/** Adds the whole chunks that some bytes begin with. @returns where the last of them ends */
function addChunks(bytes: Buffer, vectors: HashedVectors): number {
  let end = 0;
  for (let chunk = chunkAt(bytes, end); chunk !== null; chunk = chunkAt(bytes, end)) {
    vectors.add(chunk.batch);
    end = chunk.end;
  }
  return end;
}

/** @returns null unless there is a whole chunk */
function chunkAt(bytes: Buffer, from: number): { batch: HashedBatch; end: number } | null {
  if (bytes.length < from + countBytes) return null;
  const [count, dimension] = [bytes.readUInt32LE(from), bytes.readUInt32LE(from + 4)];
  const values = from + countBytes + count * digestBytes;
  const content = values + 4 * count * dimension;
  const end = content + checksumBytes;
  if (bytes.length < end) return null;
  if (!checksum(bytes.subarray(from, content)).equals(bytes.subarray(content, end))) return null;
  const digests = new Uint8Array(bytes.subarray(from + countBytes, values));
  const vectors = new Float32Array(count * dimension);
  new Uint8Array(vectors.buffer).set(bytes.subarray(values, content));
  return { batch: { digests, vectors }, end };
}

/** Some bytes of a file that is at least so long. */
async function bytesAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await file.read(bytes, read, length - read, from + read);
    if (bytesRead === 0) throw new Error(`the partial file ended at ${from + read}`);
    read += bytesRead;
  }
  return bytes;
}

function checksum(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}
