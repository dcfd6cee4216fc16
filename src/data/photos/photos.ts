/** Photos from files into one block of equally large pictures. */

import { type FileHandle, open } from 'node:fs/promises';
import { oneProcess } from '../../collectives/one-process.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { LargeMap } from '../../large-map.ts';
import { mapAhead } from '../../map-ahead.ts';
import { silent, type WorkOptions } from '../../progress.ts';
import { counted } from '../../text.ts';
import { NONE } from '../dataset.ts';
import type { Findings } from '../findings.ts';
import {
  decoding,
  type FailedPhoto,
  failedPhoto,
  loadPhoto,
  maxFileBytes,
  type PhotoInput,
  photoName,
} from './photo-file.ts';
import { type PhotoIndex, PhotoIndexBuilder } from './photo-index.ts';
import { PhotoPool, pooledFrom, type SentPhoto, together } from './photo-pool.ts';
import { decodeTogether } from './shared-photos.ts';
import { type PhotoForm, pictureOf, type StoredPhoto, storedPhoto } from './stored-photo.ts';

/** Where photos are put, and in which form. */
export interface PhotoPlace {
  readonly path: string;
  /** Of the square, in pixels. */
  readonly side: number;
  readonly form: PhotoForm;
  /** What the file has already: what is decoded comes after it. `index`: null for pixels. */
  readonly before: { readonly count: number; readonly index: PhotoIndex | null };
}

export interface DecodedPhotos {
  /** For each input its row in the file, or NONE. */
  readonly photo: Int32Array;
  /** Rows M of the file. */
  readonly count: number;
  /** Where each lies; null for pixels. */
  readonly index: PhotoIndex | null;
}

/**
 * Decodes photos to sRGB, upright, on white, fitted into a square with white bars so that proportions stay,
 * and writes them to one file: as pixels (M, S, S, 3), or each as JPEG.
 *
 * A photo that is missing or cannot be decoded is a finding, and NONE. Files of equal content are stored
 * once. The result depends on the files and their order only.
 * @param inputs one per item, null for none
 * @param group the processes that decode together, of which the others are in `decodeForFirst`: files only, what has to be fetched is this
 * one's work
 */
export async function decodePhotos(
  inputs: readonly (PhotoInput | null)[],
  place: PhotoPlace,
  findings: Findings,
  { progress = silent, signal }: WorkOptions = {},
  group: ProcessGroup = oneProcess,
): Promise<DecodedPhotos> {
  const stage = 'Decode photos';
  const { path, side, form, before } = place;
  const photo = new Int32Array(inputs.length).fill(NONE);
  const wanted = [...inputs.entries()].flatMap(([item, input]) => (input === null ? [] : [{ item, input }]));
  findings.add('Items without a photo', undefined, inputs.length - wanted.length);
  progress({ kind: 'start', stage, total: wanted.length, unit: 'photos' });
  const file = await open(path, before.count === 0 ? 'w' : 'r+');
  // A few are decoded before threads have begun.
  const pool = wanted.length < pooledFrom ? null : PhotoPool.start();
  try {
    const store = await PhotoStore.open(file, findings, place);
    const loadHere = async (input: PhotoInput) =>
      storedPhoto(await loadPhoto(input, side, (hash) => store.has(hash)), side, form);
    const load = async (batch: number) => {
      signal?.throwIfAborted();
      const inputs = wanted.slice(batch * together, (batch + 1) * together).map(({ input }) => input);
      return pool === null ? Promise.all(inputs.map(loadHere)) : loadIn(pool, inputs, side, form);
    };
    const bounds = { active: decoding.active, ahead: decoding.ahead / together };
    const files = wanted.map(({ input }) => input).filter((input) => input.kind === 'file');
    const batches =
      pool !== null && group.size > 1 && files.length === wanted.length
        ? decodeTogether(group, pool, files, side, form)
        : mapAhead(Math.ceil(wanted.length / together), load, bounds);
    let done = 0;
    for await (const batch of batches) {
      signal?.throwIfAborted();
      for (const stored of batch) {
        const { item, input } = wanted[done++]!;
        photo[item] = store.add(stored, photoName(input));
      }
      await store.flush();
      progress({ kind: 'advance', stage, done });
    }
    progress({ kind: 'end', stage, detail: counted(store.count, 'photos') });
    return { photo, count: store.count, index: store.index };
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
  form: PhotoForm,
): Promise<readonly StoredPhoto[]> {
  const fetched = await Promise.all(inputs.map(fetchPhoto));
  const sent = fetched.filter((photo) => photo.kind !== 'failed');
  const loaded = sent.length === 0 ? [] : await pool.store(sent, side, form);
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
  /** null for pixels. */
  readonly #index: PhotoIndexBuilder | null;
  #unwritten: Uint8Array[] = [];
  /** Bytes of the file. */
  #length = 0;
  /** The row of each file that was seen, by the hash of its bytes. */
  readonly #rows = new LargeMap<string, number>();
  /** The row of each picture, by the hash of what is stored: what two files of one picture have in common. */
  readonly #pictures = new LargeMap<string, number>();

  private constructor(file: FileHandle, findings: Findings, { form, before }: PhotoPlace) {
    this.#file = file;
    this.#findings = findings;
    this.#index = form === 'jpeg' ? new PhotoIndexBuilder(before.index) : null;
  }

  static async open(file: FileHandle, findings: Findings, place: PhotoPlace): Promise<PhotoStore> {
    const store = new PhotoStore(file, findings, place);
    const { side, before } = place;
    for (let row = 0; row < before.count; row++) {
      const bytes = Buffer.alloc(before.index?.length[row] ?? 3 * side * side);
      await file.read(bytes, 0, bytes.length, store.#length);
      store.#pictures.set(pictureOf(bytes), row);
      store.#length += bytes.length;
    }
    store.count = before.count;
    return store;
  }

  get index(): PhotoIndex | null {
    return this.#index?.index() ?? null;
  }

  has(hash: string): boolean {
    return this.#rows.has(hash);
  }

  /** @returns its row, which is written with the next `flush` */
  add(photo: StoredPhoto, name: string): number {
    if (photo.kind === 'failed') {
      const reason = photo.reason === undefined ? '' : `: ${photo.reason}`;
      this.#findings.add(photo.problem, `${name}${reason}`);
      return NONE;
    }
    const known = this.#rows.get(photo.hash);
    if (known !== undefined || photo.kind === 'known') {
      this.#findings.add('Photos with the same content as another, stored once', name);
      return known ?? NONE;
    }
    if (photo.format !== undefined) {
      this.#findings.add('Photos in another format than their name says, used', `${name}: ${photo.format}`);
    }
    const same = this.#pictures.get(photo.picture);
    if (same !== undefined) {
      this.#findings.add('Photos with the same content as another, stored once', name);
      this.#rows.set(photo.hash, same);
      return same;
    }
    this.#unwritten.push(photo.bytes);
    this.#index?.add(photo.bytes);
    this.#pictures.set(photo.picture, this.count);
    this.#rows.set(photo.hash, this.count);
    return this.count++;
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#unwritten);
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#length);
      done += bytesWritten;
      this.#length += bytesWritten;
    }
    this.#unwritten = [];
  }
}
