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
import { type FileHandle, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Origin, readTracedEmbeddings } from '../../data/embeddings.ts';
import { CourierError } from '../../errors.ts';
import { asOutputError, exists } from '../../storage/files.ts';
import { parseJson } from '../../storage/json.ts';

/** What earlier runs left: an origin is that of this run, or another. */
export type Leftover = 'none' | 'same origin' | 'another origin';

export class EmbeddingStore {
  /** What was found at the output and beside it. */
  readonly found: Leftover;
  readonly #vectors: Map<string, Float32Array>;
  readonly #path: string;
  /** Starts the partial file, or cuts it off behind its last whole chunk. */
  readonly #prepare: () => Promise<void>;
  #file: FileHandle | null = null;

  private constructor(
    path: string,
    vectors: Map<string, Float32Array>,
    found: Leftover,
    prepare: () => Promise<void>,
  ) {
    this.#path = path;
    this.#vectors = vectors;
    this.#prepare = prepare;
    this.found = found;
  }

  /**
   * Opens what there is for an output; its folder exists. The caller closes the store.
   * @throws CourierError OUTPUT_EXISTS when the output is no file of embeddings
   */
  static async open(output: string, origin: Origin): Promise<EmbeddingStore> {
    const path = `${output}.partial`;
    const finished = await readFinished(output, origin);
    const begun = await readPartial(path, origin);
    const both = [finished.found, begun.found];
    const found =
      both.find((each) => each === 'same origin') ?? both.find((each) => each !== 'none') ?? 'none';
    const prepare = () =>
      begun.found === 'same origin' ? truncate(path, begun.length) : writeFile(path, headerOf(origin));
    return new EmbeddingStore(path, new Map([...finished.vectors, ...begun.vectors]), found, prepare);
  }

  has(hash: string): boolean {
    return this.#vectors.has(hash);
  }

  /** The embedding (d) of a photo that the store has. */
  of(hash: string): Float32Array {
    const vector = this.#vectors.get(hash);
    if (vector === undefined) throw new Error(`there is no embedding of ${hash}`);
    return vector;
  }

  /**
   * Keeps a batch: when this returns, killing the process loses none of it. (n), (n, d)
   * @throws CourierError OUTPUT_NOT_WRITABLE
   */
  async add(hashes: readonly string[], vectors: Float32Array): Promise<void> {
    const dimension = vectors.length / hashes.length;
    try {
      if (this.#file === null) await this.#prepare();
      this.#file ??= await open(this.#path, 'a');
      await this.#file.writeFile(chunkOf(hashes, dimension, vectors));
    } catch (error) {
      throw asOutputError(error, this.#path);
    }
    for (const [index, hash] of hashes.entries()) {
      this.#vectors.set(hash, vectors.subarray(index * dimension, (index + 1) * dimension));
    }
  }

  /** Removes the partial file: everything is in the output. */
  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

interface Found {
  readonly found: Leftover;
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

const nothing: Found = { found: 'none', vectors: new Map() };
const foreign: Found = { found: 'another origin', vectors: new Map() };

async function readFinished(output: string, origin: Origin): Promise<Found> {
  if (!(await exists(output))) return nothing;
  const traced = await readTracedEmbeddings(output).catch((error: unknown) => {
    if (!(error instanceof CourierError)) throw error;
    const remedy = 'Choose another output file, or delete this one.';
    throw new CourierError('OUTPUT_EXISTS', `${output} holds something else than embeddings.`, remedy, {
      cause: error,
    });
  });
  if (traced === null || !isDeepStrictEqual(traced.origin, origin)) return foreign;
  const { hashes, vectors, dimension } = traced;
  const rows = hashes.map((hash, index): [string, Float32Array] => [
    hash,
    vectors.subarray(index * dimension, (index + 1) * dimension),
  ]);
  return { found: 'same origin', vectors: new Map(rows) };
}

async function readPartial(path: string, origin: Origin): Promise<Found & { readonly length: number }> {
  if (!(await exists(path))) return { ...nothing, length: 0 };
  const bytes = await readFile(path);
  const end = bytes.indexOf('\n') + 1;
  if (end === 0) return { ...nothing, length: 0 };
  if (!isDeepStrictEqual(parseJson(bytes.toString('utf8', 0, end)), origin)) return { ...foreign, length: 0 };
  const vectors = new Map<string, Float32Array>();
  let length = end;
  for (let chunk = chunkAt(bytes, length); chunk !== null; chunk = chunkAt(bytes, length)) {
    for (const [hash, vector] of chunk.rows) vectors.set(hash, vector);
    length = chunk.end;
  }
  return { found: 'same origin', vectors, length };
}

function headerOf(origin: Origin): string {
  return `${JSON.stringify(origin)}\n`;
}

const hashBytes = 32;
const countBytes = 8;

function chunkOf(hashes: readonly string[], dimension: number, vectors: Float32Array): Buffer {
  const counts = Buffer.alloc(countBytes);
  counts.writeUInt32LE(hashes.length, 0);
  counts.writeUInt32LE(dimension, 4);
  const values = Buffer.alloc(4 * vectors.length);
  for (const [index, value] of vectors.entries()) values.writeFloatLE(value, 4 * index);
  const content = Buffer.concat([counts, ...hashes.map((hash) => Buffer.from(hash, 'hex')), values]);
  return Buffer.concat([content, checksum(content)]);
}

/** @returns null unless there is a whole chunk */
function chunkAt(bytes: Buffer, from: number): { rows: [string, Float32Array][]; end: number } | null {
  if (bytes.length < from + countBytes) return null;
  const [count, dimension] = [bytes.readUInt32LE(from), bytes.readUInt32LE(from + 4)];
  const values = from + countBytes + count * hashBytes;
  const content = values + 4 * count * dimension;
  if (bytes.length < content + hashBytes) return null;
  const stored = bytes.subarray(content, content + hashBytes);
  if (!checksum(bytes.subarray(from, content)).equals(stored)) return null;
  const rows = Array.from({ length: count }, (_, row): [string, Float32Array] => {
    const at = from + countBytes + row * hashBytes;
    const start = values + 4 * row * dimension;
    const vector = Float32Array.from({ length: dimension }, (_, index) =>
      bytes.readFloatLE(start + 4 * index),
    );
    return [bytes.toString('hex', at, at + hashBytes), vector];
  });
  return { rows, end: content + hashBytes };
}

function checksum(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest();
}
