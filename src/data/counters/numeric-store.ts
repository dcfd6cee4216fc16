/** Base features while a dataset is loaded: columns come in, some rows at a time, and rows are read afterwards. */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasSystemCode } from '../../errors.ts';
import { asOutputError } from '../../storage/files.ts';
import { Completion } from './completion.ts';
import type { NumericRows } from './numeric-rows.ts';

/** Bytes from which on rows lie in a file. */
const most = 2 ** 29;

const bytesPerNumber = Float32Array.BYTES_PER_ELEMENT;

/** Where rows lie. (R, W) */
interface Place {
  /** Puts rows from one on. (n, W) */
  write(first: number, rows: Float32Array): void;
  /** Reads so many rows from one on to a place of `out`. */
  read(first: number, count: number, out: Float32Array, at: number): void;
  close(): void;
}

export class NumericStore {
  readonly #names: readonly string[];
  readonly #missing: readonly string[];
  readonly #rows: number;
  readonly #place: Place;

  /**
   * @param missing names of columns in which a value may be missing, as NaN
   * @param rows number R of exposures
   * @param folder where a file may be put, which has no name while it is used
   * @param inMemory bytes that may lie in memory
   * @throws CourierError OUTPUT_NOT_WRITABLE
   */
  constructor(
    names: readonly string[],
    missing: readonly string[],
    rows: number,
    folder: string,
    inMemory: number = most,
  ) {
    this.#names = names;
    this.#missing = missing;
    this.#rows = rows;
    const numbers = rows * names.length;
    this.#place =
      numbers * bytesPerNumber <= inMemory
        ? memoryPlace(new Float32Array(numbers), names.length)
        : filePlace(folder, names.length);
  }

  /** Puts columns of equal length, from a row on. (W) of (n) each */
  write(first: number, columns: readonly ArrayLike<number>[]): void {
    const width = columns.length;
    const count = columns[0]?.length ?? 0;
    const rows = new Float32Array(count * width);
    for (const [column, values] of columns.entries()) {
      for (let row = 0, at = column; row < count; row++, at += width) rows[at] = values[row]!;
    }
    this.#place.write(first, rows);
  }

  /**
   * The rows, complete: where a value is missing, the mean of the training split, and 1 in a column behind it.
   * @param training exposures of the training split, which come first
   * @returns null where a value is not finite, or missing in a column in which none may be
   */
  complete(training: number): NumericRows | null {
    const means = this.#meansOf(training);
    if (means === null) return null;
    const [names, place] = [this.#names, this.#place];
    const stored = names.length;
    const filled = names.flatMap((name, column): [string, number][] =>
      this.#missing.includes(name) ? [[name, means[column]!]] : [],
    );
    const completion = new Completion(names, new Map(filled));
    const close = () => place.close();
    return {
      names: completion.names,
      means: completion.means,
      fill(rows, out) {
        if (completion.isWhole) return readRows(place, stored, rows, out);
        const raw = new Float32Array(rows.length * stored);
        readRows(place, stored, rows, raw);
        completion.fill(raw, out);
      },
      close,
    };
  }

  close(): void {
    this.#place.close();
  }

  /** Of what the training split has of each column; 0 where it has nothing. null where a value is not allowed. (W) */
  #meansOf(training: number): Float64Array | null {
    const width = this.#names.length;
    const mayMiss = this.#names.map((name) => this.#missing.includes(name));
    const sums = new Float64Array(width);
    const counts = new Float64Array(width);
    const some = new Float32Array(4096 * width);
    for (let first = 0; first < this.#rows; first += 4096) {
      const count = Math.min(4096, this.#rows - first);
      this.#place.read(first, count, some, 0);
      for (let row = 0, at = 0; row < count; row++) {
        for (let column = 0; column < width; column++) {
          const value = some[at++]!;
          if (Number.isNaN(value) ? !mayMiss[column] : !Number.isFinite(value)) return null;
          if (Number.isNaN(value) || first + row >= training) continue;
          sums[column]! += value;
          counts[column]! += 1;
        }
      }
    }
    return sums.map((sum, column) => (counts[column] === 0 ? 0 : sum / counts[column]!));
  }
}

/** Rows in any order; those that follow each other in one reading. (n) → (n, W) */
function readRows(place: Place, width: number, rows: Int32Array, out: Float32Array): void {
  for (let from = 0; from < rows.length; ) {
    let to = from + 1;
    while (to < rows.length && rows[to] === rows[to - 1]! + 1) to++;
    place.read(rows[from]!, to - from, out, from * width);
    from = to;
  }
}

function memoryPlace(memory: Float32Array, width: number): Place {
  return {
    write: (first, rows) => memory.set(rows, first * width),
    read(first, count, out, at) {
      // A loop: most are single rows, for which a view would be memory to collect.
      for (let from = first * width, end = (first + count) * width; from < end; ) out[at++] = memory[from++]!;
    },
    close: () => undefined,
  };
}

/** A file without a name: nothing of it stays, however the process ends. */
function filePlace(folder: string, width: number): Place {
  const file = openNameless(folder);
  const bytes = width * bytesPerNumber;
  let isOpen = true;
  return {
    write(first, rows) {
      const whole = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      try {
        for (let done = 0; done < whole.length; )
          done += writeSync(file, whole, done, whole.length - done, first * bytes + done);
      } catch (error) {
        throw asOutputError(error, folder);
      }
    },
    read(first, count, out, at) {
      const target = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
      const from = at * bytesPerNumber;
      for (let done = 0; done < count * bytes; ) {
        const got = readSync(file, target, from + done, count * bytes - done, first * bytes + done);
        if (got === 0) throw new Error(`row ${first + count - 1} was not written`);
        done += got;
      }
    },
    close() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

/** In the folder, or among the system's temporary files where the folder may only be read. */
function openNameless(folder: string): number {
  const name = `.numbers-${randomUUID()}`;
  const open = (where: string): number => {
    const path = join(where, name);
    const file = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return file;
  };
  try {
    return open(folder);
  } catch (error) {
    if (!hasSystemCode(error, 'EACCES', 'EPERM', 'EROFS')) throw asOutputError(error, folder);
    return open(tmpdir());
  }
}
