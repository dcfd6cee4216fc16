/** Photos in one file, read by row, so that a catalogue of any size needs no memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { CourierError, hasSystemCode, messageOf } from '../../errors.ts';
import { lengthOf, type PhotoIndex } from './photo-index.ts';
import type { Size } from './plain-jpeg.ts';
import type { PhotoForm } from './stored-photo.ts';

/** Decoded photos, read a few at a time. */
export interface Photos {
  /** M */
  readonly count: number;
  /** S, in pixels. */
  readonly side: number;
  /** Pixels of the given photos, RGB, 0 to 255. (rows, S, S, 3) */
  read(rows: Int32Array | readonly number[]): Uint8Array;
}

/** How photos that are kept as JPEG are found and decoded. */
export interface Encoded {
  readonly index: PhotoIndex;
  /** To (S, S, 3), in memory that the next call overwrites. */
  decode(bytes: Uint8Array, size: Size): Uint8Array;
}

/**
 * The photos of a dataset: uint8, row-major, RGB, 0 to 255, as they are or each as JPEG. (M, S, S, 3)
 *
 * Reads are positional and synchronous: rows lie in the system's file cache after the first pass, and a
 * copy from there takes microseconds.
 */
export class ImageCache implements Photos {
  /** Side S of the square photos in pixels. */
  readonly side: number;
  /** Number M of photos. */
  readonly count: number;
  readonly #file: number;
  readonly #path: string;
  readonly #encoded: Encoded | null;
  #closed = false;

  private constructor(path: string, file: number, side: number, count: number, encoded: Encoded | null) {
    this.#path = path;
    this.#file = file;
    this.side = side;
    this.count = count;
    this.#encoded = encoded;
  }

  /**
   * Opens a file of count · side · side · 3 bytes, or of what an index says.
   * @throws CourierError FILE_NOT_FOUND, or FILE_CORRUPT when its size is another
   */
  static open(path: string, side: number, count: number, encoded: Encoded | null = null): ImageCache {
    const file = openFile(path);
    const expected = encoded === null ? count * side * side * 3 : lengthOf(encoded.index);
    const { size } = fstatSync(file);
    if (size !== expected) {
      closeSync(file);
      throw corrupt(path, `it has ${size} bytes instead of ${expected} (${count} photos of side ${side})`);
    }
    return new ImageCache(path, file, side, count, encoded);
  }

  /** How they are kept. */
  get form(): PhotoForm {
    return this.#encoded === null ? 'pixels' : 'jpeg';
  }

  /** Where each lies that is kept as JPEG; null for pixels. */
  get index(): PhotoIndex | null {
    return this.#encoded?.index ?? null;
  }

  /**
   * The photos of these rows, in their order, rows may repeat. (places, S, S, 3)
   * @param places photos there is room for: those beyond the rows are black
   * @throws RangeError for a row outside 0 … count - 1, NONE included
   */
  read(rows: Int32Array | readonly number[], places = rows.length): Uint8Array {
    if (this.#closed) throw new Error(`Read from the closed image cache ${this.#path}.`);
    const bytes = this.side * this.side * 3;
    const pixels = new Uint8Array(places * bytes);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (!Number.isInteger(row) || row < 0 || row >= this.count) {
        throw new RangeError(`Photo row ${row} is outside 0 … ${this.count - 1}.`);
      }
      if (this.#encoded === null) this.#readBytes(pixels, i * bytes, bytes, row * bytes);
      else pixels.set(this.#decode(this.#encoded, row), i * bytes);
    }
    return pixels;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#file);
  }

  /** @throws CourierError FILE_CORRUPT where the bytes are others than were written */
  #decode({ index, decode }: Encoded, row: number): Uint8Array {
    const bytes = new Uint8Array(index.length[row]!);
    this.#readBytes(bytes, 0, bytes.length, index.offset[row]!);
    if (crc32(bytes) !== index.checksum[row]) throw corrupt(this.#path, `photo ${row} was changed`);
    try {
      return decode(bytes, { width: this.side, height: this.side });
    } catch (error) {
      throw corrupt(this.#path, `photo ${row} is no photo of side ${this.side}: ${messageOf(error)}`);
    }
  }

  #readBytes(target: Uint8Array, offset: number, length: number, position: number): void {
    let done = 0;
    while (done < length) {
      const got = readSync(this.#file, target, offset + done, length - done, position + done);
      if (got === 0) throw corrupt(this.#path, 'it became shorter while it was open');
      done += got;
    }
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (!hasSystemCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new CourierError(
      'FILE_NOT_FOUND',
      `Image cache not found: ${path}`,
      'Check the path, or ingest again.',
      { cause: error },
    );
  }
}

function corrupt(path: string, reason: string): CourierError {
  return new CourierError(
    'FILE_CORRUPT',
    `The image cache ${path} is damaged: ${reason}.`,
    'Ingest the dataset again with overwrite.',
  );
}
