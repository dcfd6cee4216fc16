/** Arrays as NumPy writes them (format 1.0 to 3.0): a matrix of numbers as vectors. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CourierError } from '../errors.ts';
import type { Vectors } from './columns.ts';

/** Numbers of each type, little endian or of one byte. */
const types: Readonly<
  Record<string, { readonly bytes: number; at(view: DataView, offset: number): number }>
> = {
  '<f2': { bytes: 2, at: (view, offset) => halfOf(view.getUint16(offset, true)) },
  '<f4': { bytes: 4, at: (view, offset) => view.getFloat32(offset, true) },
  '<f8': { bytes: 8, at: (view, offset) => view.getFloat64(offset, true) },
  '|i1': { bytes: 1, at: (view, offset) => view.getInt8(offset) },
  '|u1': { bytes: 1, at: (view, offset) => view.getUint8(offset) },
  '<i2': { bytes: 2, at: (view, offset) => view.getInt16(offset, true) },
  '<i4': { bytes: 4, at: (view, offset) => view.getInt32(offset, true) },
};

/** Bytes of a file that are looked at for its header. */
const longestHeader = 65_536;

/** Rows that are read at a time. */
const rowsAtATime = 4096;

/**
 * Reads a matrix of shape (n, d) in C order.
 * @throws CourierError FILE_CORRUPT, VALUE_INVALID for another shape or type
 */
export async function readNpy(path: string): Promise<Vectors & { readonly values: Float32Array }> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longestHeader), 0, longestHeader, 0);
    const { start, descr, rows, dimension } = headerOf(buffer.subarray(0, bytesRead), path);
    const type = types[descr];
    if (type === undefined)
      throw refused(
        path,
        `its numbers are of type ${descr}`,
        'Save them as float32: array.astype("float32").',
      );
    const { size } = await file.stat();
    if (size !== start + rows * dimension * type.bytes)
      throw new CourierError(
        'FILE_CORRUPT',
        `${path} has ${size} bytes, not those of ${rows} × ${dimension} numbers of ${type.bytes}.`,
        'Save it again.',
      );
    const values = new Float32Array(rows * dimension);
    const part = Buffer.alloc(rowsAtATime * dimension * type.bytes);
    for (let row = 0; row < rows; row += rowsAtATime) {
      const count = Math.min(rowsAtATime, rows - row) * dimension;
      await file.read(part, 0, count * type.bytes, start + row * dimension * type.bytes);
      const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
      for (let at = 0; at < count; at++) values[row * dimension + at] = type.at(view, at * type.bytes);
    }
    return {
      length: rows,
      dimension,
      values,
      at: (row) => values.subarray(row * dimension, (row + 1) * dimension),
    };
  } finally {
    await file.close();
  }
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

/** IEEE 754 half precision. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function refused(path: string, why: string, remedy: string): CourierError {
  return new CourierError('VALUE_INVALID', `${basename(path)} cannot be used: ${why}.`, remedy);
}
