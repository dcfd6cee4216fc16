/** Photos from files into one block of equally large pictures. */

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { LargeMap } from '../large-map.ts';
import { mapAhead } from '../map-ahead.ts';
import type { Progress } from '../progress.ts';
import { NONE } from './dataset.ts';
import type { Findings } from './findings.ts';
import {
  decoding,
  type FailedPhoto,
  failedPhoto,
  type LoadedPhoto,
  loadPhoto,
  maxFileBytes,
  type PhotoInput,
  photoName,
} from './photo-file.ts';
import { PhotoPool, type SentPhoto } from './photo-pool.ts';

/** Photos from which on threads of their own decode them. */
const pooledFrom = 128;

/** Photos that are loaded together: what is said between threads costs as much as a small photo. */
const together = 16;

/**
 * Decodes photos to sRGB, upright, on white, fitted into a square with white bars so that proportions stay,
 * and writes them to one file. (M, S, S, 3)
 *
 * A photo that is missing or cannot be decoded is a finding, and NONE. Files of equal content are stored
 * once. The result depends on the files and their order only.
 * @param inputs one per item, null for none
 * @param before rows that the file has already: what is decoded comes after them
 * @returns for each input its row in the file, or NONE, and the number of rows
 */
export async function decodePhotos(
  inputs: readonly (PhotoInput | null)[],
  side: number,
  output: string,
  findings: Findings,
  progress: Progress,
  signal?: AbortSignal,
  before = 0,
): Promise<{ photo: Int32Array; count: number }> {
  const stage = 'Decode photos';
  const photo = new Int32Array(inputs.length).fill(NONE);
  const wanted = [...inputs.entries()].flatMap(([item, input]) => (input === null ? [] : [{ item, input }]));
  findings.add('Items without a photo', undefined, inputs.length - wanted.length);
  progress({ kind: 'start', stage, total: wanted.length, unit: 'photos' });
  const file = await open(output, before === 0 ? 'w' : 'r+');
  // A few are decoded before threads have begun.
  const pool = wanted.length < pooledFrom ? null : PhotoPool.start();
  try {
    const store = await PhotoStore.open(file, findings, before, 3 * side * side);
    const load = async (batch: number) => {
      signal?.throwIfAborted();
      const inputs = wanted.slice(batch * together, (batch + 1) * together).map(({ input }) => input);
      return pool === null
        ? Promise.all(inputs.map((input) => loadPhoto(input, side, (hash) => store.has(hash))))
        : loadIn(pool, inputs, side);
    };
    const bounds = { active: decoding.active, ahead: decoding.ahead / together };
    let done = 0;
    for await (const batch of mapAhead(Math.ceil(wanted.length / together), load, bounds)) {
      for (const loaded of batch) {
        const { item, input } = wanted[done++]!;
        photo[item] = store.add(loaded, photoName(input));
      }
      await store.flush();
      progress({ kind: 'advance', stage, done });
    }
    progress({ kind: 'end', stage, detail: `${store.count} photos` });
    return { photo, count: store.count };
  } finally {
    await pool?.close();
    await file.close();
  }
}

/** What has to be fetched is fetched here, and whatever it becomes is a thread's work. */
async function loadIn(
  pool: PhotoPool,
  inputs: readonly PhotoInput[],
  side: number,
): Promise<readonly LoadedPhoto[]> {
  const fetched = await Promise.all(inputs.map(fetchPhoto));
  const sent = fetched.filter((photo) => photo.kind !== 'failed');
  const loaded = sent.length === 0 ? [] : await pool.load(sent, side);
  let next = 0;
  return fetched.map((photo) => (photo.kind === 'failed' ? photo : loaded[next++]!));
}

async function fetchPhoto(input: PhotoInput): Promise<SentPhoto | FailedPhoto> {
  if (input.kind === 'file') return input;
  try {
    return { kind: 'bytes', name: input.name, bytes: await input.read(maxFileBytes) };
  } catch (error) {
    return failedPhoto(input.name, error);
  }
}

/** Gives every new content the next row, in the order of the calls. */
class PhotoStore {
  count = 0;
  readonly #file: FileHandle;
  readonly #findings: Findings;
  readonly #bytes: number;
  readonly #unwritten: Uint8Array[] = [];
  /** The row of each file that was seen, by the hash of its bytes. */
  readonly #rows = new LargeMap<string, number>();
  /** The row of each picture, by the hash of its pixels: what two files of one picture have in common. */
  readonly #pictures = new LargeMap<string, number>();

  private constructor(file: FileHandle, findings: Findings, bytes: number) {
    this.#file = file;
    this.#findings = findings;
    this.#bytes = bytes;
  }

  /** @param before rows that the file has. @param bytes of a row */
  static async open(
    file: FileHandle,
    findings: Findings,
    before: number,
    bytes: number,
  ): Promise<PhotoStore> {
    const store = new PhotoStore(file, findings, bytes);
    const pixels = new Uint8Array(bytes);
    for (; store.count < before; store.count++) {
      await file.read(pixels, 0, bytes, store.count * bytes);
      store.#pictures.set(hashOf(pixels), store.count);
    }
    return store;
  }

  has(hash: string): boolean {
    return this.#rows.has(hash);
  }

  /** @returns its row, which is written with the next `flush` */
  add(decoded: LoadedPhoto, name: string): number {
    if (decoded.kind === 'failed') {
      const reason = decoded.reason === undefined ? '' : `: ${decoded.reason}`;
      this.#findings.add(decoded.problem, `${name}${reason}`);
      return NONE;
    }
    const known = this.#rows.get(decoded.hash);
    if (known !== undefined || decoded.kind === 'known') {
      this.#findings.add('Photos with the same content as another, stored once', name);
      return known ?? NONE;
    }
    if (decoded.format !== undefined) {
      this.#findings.add('Photos in another format than their name says, used', `${name}: ${decoded.format}`);
    }
    const picture = hashOf(decoded.pixels);
    const same = this.#pictures.get(picture);
    if (same !== undefined) {
      this.#findings.add('Photos with the same content as another, stored once', name);
      this.#rows.set(decoded.hash, same);
      return same;
    }
    this.#unwritten.push(decoded.pixels);
    this.#pictures.set(picture, this.count);
    this.#rows.set(decoded.hash, this.count);
    return this.count++;
  }

  async flush(): Promise<void> {
    const from = (this.count - this.#unwritten.length) * this.#bytes;
    const pixels = Buffer.concat(this.#unwritten);
    for (let done = 0; done < pixels.length; )
      done += (await this.#file.write(pixels, done, pixels.length - done, from + done)).bytesWritten;
    this.#unwritten.length = 0;
  }
}

function hashOf(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('base64');
}
