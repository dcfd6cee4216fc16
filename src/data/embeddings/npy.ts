/** Arrays as NumPy writes them (format 1.0 to 3.0): a matrix of numbers as vectors of float32. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CourierError } from '../../errors.ts';
import { dtypes } from '../../storage/dtypes.ts';
import { readFully, writeWhole } from '../../storage/files.ts';
import type { SizedVectors } from './embedding-size.ts';

/** The dtypes of numbers, little endian or of one byte, by NumPy's names. */
const dtypeNames: Readonly<Record<string, string>> = {
  '<f2': 'F16',
  '<f4': 'F32',
  '<f8': 'F64',
  '|i1': 'I8',
  '|u1': 'U8',
  '<i2': 'I16',
  '<i4': 'I32',
};

/** Bytes of a file that are looked at for its header. */
const longestHeader = 65_536;

/** Rows that are read or written at a time. */
const rowsAtATime = 4096;

export interface Matrix {
  readonly rows: number;
  readonly dimension: number;
  /** (n, d) */
  readonly values: Float32Array;
}

/**
 * Reads a matrix of shape (n, d) in C order.
 * @throws CourierError FILE_CORRUPT, VALUE_INVALID for another shape or type
 */
export async function readNpy(path: string): Promise<Matrix> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longestHeader), 0, longestHeader, 0);
    const { start, descr, rows, dimension } = headerOf(buffer.subarray(0, bytesRead), path);
    const dtype = dtypes.get(dtypeNames[descr] ?? '');
    if (dtype === undefined)
      throw refused(
        path,
        `its numbers are of type ${descr}`,
        'Save them as float32: array.astype("float32").',
      );
    const { width } = dtype;
    const { size } = await file.stat();
    if (size !== start + rows * dimension * width)
      throw new CourierError(
        'FILE_CORRUPT',
        `${path} has ${size} bytes, not those of ${rows} × ${dimension} numbers of ${width}.`,
        'Save it again.',
      );
    const { data: values, widen } = dtype.floats(rows * dimension);
    const passing = new Uint8Array(widen === null ? 0 : Math.min(rows, rowsAtATime) * dimension * width);
    for (let row = 0; row < rows; row += rowsAtATime) {
      const [first, count] = [row * dimension, Math.min(rowsAtATime, rows - row) * dimension];
      const bytes =
        widen === null
          ? new Uint8Array(values.buffer, values.byteOffset + first * width, count * width)
          : passing.subarray(0, count * width);
      await readAll(file, bytes, start + first * width, path);
      widen?.(bytes, first);
    }
    return { rows, dimension, values };
  } finally {
    await file.close();
  }
}

/**
 * Writes float32 or int8 as `numpy.save` does, a few rows at a time.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeNpy(path: string, { numbers, vectors }: SizedVectors): Promise<void> {
  const { length, dimension } = vectors;
  const about = `{'descr': '${numbers === 'int8' ? '|i1' : '<f4'}', 'fortran_order': False, 'shape': (${length}, ${dimension}), }`;
  // Values begin at a multiple of 64 bytes, behind a line feed.
  const text = `${about.padEnd(Math.ceil((about.length + 11) / 64) * 64 - 11)}\n`;
  const lead = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  lead.writeUInt16LE(text.length, 8);
  await writeWhole(path, async (temporary) => {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(Buffer.concat([lead, Buffer.from(text, 'latin1')]));
      const values = Math.min(length, rowsAtATime) * dimension;
      const part = numbers === 'int8' ? new Int8Array(values) : new Float32Array(values);
      for (let from = 0; from < length; from += rowsAtATime) {
        const count = Math.min(rowsAtATime, length - from);
        for (let row = 0; row < count; row++) part.set(vectors.at(from + row), row * dimension);
        await file.writeFile(new Uint8Array(part.buffer, 0, count * dimension * part.BYTES_PER_ELEMENT));
      }
    } finally {
      await file.close();
    }
  });
}

async function readAll(file: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  if (await readFully(file, into, position)) return;
  throw new CourierError('FILE_CORRUPT', `${path} is cut off.`, 'Save it again.');
}

function headerOf(bytes: Buffer, path: string) {
  const isNpy = bytes.length > 12 && bytes.toString('latin1', 0, 6) === '\x93NUMPY';
  if (!isNpy) throw refused(path, 'it is no npy file', 'Save a matrix with numpy.save.');
  const isShort = bytes[6] === 1;
  const start = (isShort ? 10 : 12) + (isShort ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  const header = bytes.toString('latin1', isShort ? 10 : 12, Math.min(start, bytes.length));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? '';
  const shape = /'shape':\s*\((\d+),\s*(\d+),?\s*\)/.exec(header);
  if (!/'fortran_order':\s*False/.test(header) || shape === null)
    throw refused(
      path,
      'it is no matrix of items and values in C order',
      'Save a matrix (items, values) with numpy.save.',
    );
  return { start, descr, rows: Number(shape[1]), dimension: Number(shape[2]) };
}

function refused(path: string, why: string, remedy: string): CourierError {
  return new CourierError('VALUE_INVALID', `${basename(path)} cannot be used: ${why}.`, remedy);
}
