/**
 * What a backbone says of photos, kept from run to run: rows of 16-bit floats in one file, the hashes of their photos in another.
 * Rows are appended, so that a catalogue that grew costs what is new; what a killed run wrote is what the next one goes on from.
 */
import { readSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CourierError } from '../errors.ts';
import { LargeMap } from '../large-map.ts';
import { asOutputError, readFully } from '../storage/files.ts';
import { fromHalves, toHalves } from '../storage/half.ts';

const bytesOfHalf = Uint16Array.BYTES_PER_ELEMENT;
/** Of SHA-256. */
const bytesOfHash = 32;

export class FeatureRows {
  /** F: numbers of a photo. */
  readonly width: number;
  readonly #rows: FileHandle;
  readonly #hashes: FileHandle;
  readonly #path: string;
  /** The row of each photo by its hash, in hexadecimal. */
  readonly #rowOf = new LargeMap<string, number>();

  private constructor(path: string, width: number, rows: FileHandle, hashes: FileHandle) {
    this.#path = path;
    this.width = width;
    this.#rows = rows;
    this.#hashes = hashes;
  }

  /**
   * Opens what there is, or begins. The caller closes it.
   * @param path of the rows; the hashes lie beside it
   * @throws CourierError OUTPUT_NOT_WRITABLE
   */
  static async open(path: string, width: number): Promise<FeatureRows> {
    try {
      await mkdir(dirname(path), { recursive: true });
      const [rows, hashes] = [await open(path, 'a+'), await open(`${path}.hashes`, 'a+')];
      const opened = new FeatureRows(path, width, rows, hashes);
      await opened.#readHashes();
      return opened;
    } catch (error) {
      throw asOutputError(error, path);
    }
  }

  get count(): number {
    return this.#rowOf.size;
  }

  has(hash: string): boolean {
    return this.#rowOf.has(hash);
  }

  /**
   * Keeps rows of photos that are not there: when this returns, killing the process loses none of them. (n), (n, F)
   * @throws CourierError OUTPUT_NOT_WRITABLE; VALUE_INVALID for a value that no 16-bit float holds
   */
  async add(hashes: readonly string[], features: Float32Array): Promise<void> {
    const halves = new Uint16Array(features.length);
    try {
      toHalves(features, halves);
    } catch (error) {
      throw error instanceof RangeError ? tooLarge(error) : error;
    }
    try {
      // Rows first: a hash without its row would be a wrong one.
      await this.#rows.appendFile(new Uint8Array(halves.buffer));
      await this.#hashes.appendFile(Buffer.from(hashes.join(''), 'hex'));
    } catch (error) {
      throw asOutputError(error, this.#path);
    }
    for (const hash of hashes) this.#rowOf.set(hash, this.#rowOf.size);
  }

  /** The features of photos by their hashes. (n, F) @throws Error for one that is not there */
  async read(hashes: readonly string[]): Promise<Float32Array> {
    const { width } = this;
    const features = new Float32Array(hashes.length * width);
    const halves = new Uint16Array(width);
    const bytes = new Uint8Array(halves.buffer);
    for (const [place, hash] of hashes.entries()) {
      await readWhole(this.#rows, bytes, this.#rowOfPhoto(hash) * bytes.length, this.#path);
      fromHalves(halves, features.subarray(place * width, (place + 1) * width));
    }
    return features;
  }

  /**
   * As `read`, without giving way: rows lie in the system's file cache after the first pass.
   * @param places photos there is room for: those beyond the hashes are zeros
   */
  readNow(hashes: readonly string[], places = hashes.length): Float32Array {
    const { width } = this;
    const features = new Float32Array(places * width);
    const halves = new Uint16Array(width);
    const bytes = new Uint8Array(halves.buffer);
    for (const [place, hash] of hashes.entries()) {
      const position = this.#rowOfPhoto(hash) * bytes.length;
      for (let done = 0; done < bytes.length; ) {
        const read = readSync(this.#rows.fd, bytes, done, bytes.length - done, position + done);
        if (read === 0) throw becameShorter(this.#path);
        done += read;
      }
      fromHalves(halves, features.subarray(place * width, (place + 1) * width));
    }
    return features;
  }

  #rowOfPhoto(hash: string): number {
    const row = this.#rowOf.get(hash);
    if (row === undefined) throw new Error(`there are no features of photo ${hash}`);
    return row;
  }

  async close(): Promise<void> {
    await this.#rows.close();
    await this.#hashes.close();
  }

  /** What a killed process wrote of one file alone is cut off. */
  async #readHashes(): Promise<void> {
    const rowBytes = this.width * bytesOfHalf;
    const rows = Math.floor((await this.#rows.stat()).size / rowBytes);
    const hashes = Math.floor((await this.#hashes.stat()).size / bytesOfHash);
    const count = Math.min(rows, hashes);
    await this.#rows.truncate(count * rowBytes);
    await this.#hashes.truncate(count * bytesOfHash);
    const part = Buffer.alloc(4096 * bytesOfHash);
    for (let from = 0; from < count; from += 4096) {
      const some = Math.min(4096, count - from);
      await readWhole(this.#hashes, part.subarray(0, some * bytesOfHash), from * bytesOfHash, this.#path);
      for (let at = 0; at < some; at++)
        this.#rowOf.set(part.toString('hex', at * bytesOfHash, (at + 1) * bytesOfHash), from + at);
    }
  }
}

async function readWhole(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  if (!(await readFully(file, into, position))) throw becameShorter(path);
}

function becameShorter(path: string): Error {
  return new Error(`${path} became shorter while it was open`);
}

function tooLarge({ message }: RangeError): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `The features of a backbone cannot be kept: ${message}.`,
    'Take another tensor of it with the settings `taps` or `fineTune.from`, such as one behind a normalisation.',
  );
}
