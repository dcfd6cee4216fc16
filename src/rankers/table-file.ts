/**
 * An embedding table on disk: a safetensors file of the rows that were looked up, with the optimiser's state, so
 * that training goes on as if it had never stopped. It is written from and read into the table's own arrays, piece
 * by piece, since a table may be larger than what Node puts into one buffer.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { CourierError, messageOf } from '../errors.ts';
import { requireReadable, writeWhole } from '../storage/files.ts';
import type { TableState } from './embedding-table.ts';
import { sparseOptimizers } from './sparse-optimizers.ts';

/** Bytes that are read, hashed or written at a time. */
const pieceLength = 2 ** 26;

/** Our headers are far smaller. */
const headerLimit = 4096;

const offsets = z.tuple([z.int().nonnegative(), z.int().nonnegative()]);
const headerSchema = z.strictObject({
  __metadata__: z.strictObject({
    optimizer: z.enum(['adagrad', 'adam']),
    step: z.coerce.number().int().nonnegative(),
    sha256: z.string(),
  }),
  rows: z.strictObject({
    dtype: z.literal('I32'),
    shape: z.tuple([z.int().nonnegative()]),
    data_offsets: offsets,
  }),
  table: z.strictObject({
    dtype: z.literal('F32'),
    shape: z.tuple([z.int().nonnegative(), z.int().positive(), z.int().positive()]),
    data_offsets: offsets,
  }),
  current: z
    .strictObject({
      dtype: z.literal('I32'),
      shape: z.tuple([z.int().nonnegative()]),
      data_offsets: offsets,
    })
    .optional(),
});
type Header = z.infer<typeof headerSchema>;

/**
 * Writes `rows` (n), `table` (n, 1 + slots, E) and, where rows outside of a batch change too, `current` (n).
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function saveTable(path: string, state: TableState): Promise<void> {
  const { rows, memory, current, optimizer, dimension, step } = state;
  const pieces = [...piecesOf(rows), ...piecesOf(memory), ...(current === null ? [] : piecesOf(current))];
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  const end = rows.byteLength + memory.byteLength;
  const header = {
    __metadata__: { optimizer, step: String(step), sha256: hash.digest('hex') },
    rows: { dtype: 'I32', shape: [rows.length], data_offsets: [0, rows.byteLength] },
    table: {
      dtype: 'F32',
      shape: [rows.length, 1 + sparseOptimizers[optimizer].slots, dimension],
      data_offsets: [rows.byteLength, end],
    },
    ...(current === null
      ? {}
      : {
          current: {
            dtype: 'I32',
            shape: [current.length],
            data_offsets: [end, end + current.byteLength],
          },
        }),
  };
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(json.length + ((8 - (json.length % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeWhole(path, async (temporary) => {
    const handle = await open(temporary, 'w');
    try {
      for (const piece of [length, text, ...pieces]) await handle.writeFile(piece);
    } finally {
      await handle.close();
    }
  });
}

/**
 * @returns what `saveTable` was given
 * @throws CourierError FILE_NOT_FOUND, or FILE_CORRUPT for a file that is not whole or not such a table
 */
export async function loadTable(path: string): Promise<TableState> {
  await requireReadable(path, 'Embedding table');
  const handle = await open(path);
  try {
    return await readTable(handle);
  } catch (error) {
    throw new CourierError(
      'FILE_CORRUPT',
      `Embedding table ${path} is damaged: ${messageOf(error)}`,
      'The file was cut off or altered. Restore it from a copy, or train again.',
      { cause: error },
    );
  } finally {
    await handle.close();
  }
}

async function readTable(handle: FileHandle): Promise<TableState> {
  const { header, start } = await readHeader(handle);
  const { optimizer, step, sha256 } = header.__metadata__;
  const [count, parts, dimension] = header.table.shape;
  const rows = new Int32Array(count);
  const memory = new Float32Array(count * parts * dimension);
  const current = header.current === undefined ? null : new Int32Array(count);
  const hash = createHash('sha256');
  let position = start;
  const pieces = [...piecesOf(rows), ...piecesOf(memory), ...(current === null ? [] : piecesOf(current))];
  for (const piece of pieces) {
    await readFully(handle, piece, position);
    position += piece.length;
    hash.update(piece);
  }
  if (hash.digest('hex') !== sha256) throw new Error('its values do not match their checksum');
  // The checksum tells damage, not intent: a row number that lies outside would be written outside.
  for (let index = 0, before = 0; index < count; before = rows[index++]!) {
    if (rows[index]! <= before) throw new Error('its row numbers do not ascend from 1');
  }
  return { optimizer, dimension, step, rows, memory, current };
}

/** The header, once it agrees with itself and with the length of the file, and where the values start. */
async function readHeader(handle: FileHandle): Promise<{ header: Header; start: number }> {
  const { size } = await handle.stat();
  const length = Buffer.alloc(8);
  await readFully(handle, length, 0);
  const headerLength = Number(length.readBigUInt64LE());
  if (headerLength > headerLimit) throw new Error('its header is not that of an embedding table');
  const text = Buffer.alloc(headerLength);
  await readFully(handle, text, 8);
  const header = headerSchema.parse(JSON.parse(text.toString('utf8')));
  const { rows, table, current, __metadata__: metadata } = header;
  const [count, parts, dimension] = table.shape;
  if (
    rows.shape[0] !== count ||
    (current?.shape[0] ?? count) !== count ||
    parts !== 1 + sparseOptimizers[metadata.optimizer].slots
  ) {
    throw new Error('its shapes do not agree');
  }
  const middle = 4 * count;
  const end = middle + 4 * count * parts * dimension;
  const last = current === undefined ? end : end + 4 * count;
  const expected = [0, middle, middle, end, end, last];
  const found = [...rows.data_offsets, ...table.data_offsets, ...(current?.data_offsets ?? [end, end])];
  if (found.some((offset, index) => offset !== expected[index])) throw new Error('its offsets do not agree');
  const start = 8 + headerLength;
  if (size !== start + last) throw new Error(`it has ${size} bytes, not ${start + last}`);
  return { header, start };
}

async function readFully(handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new Error('it is cut off');
    done += bytesRead;
  }
}

/** The bytes of an array, in views that Node's functions take. */
function* piecesOf({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): Generator<Uint8Array> {
  for (let from = 0; from < byteLength; from += pieceLength) {
    yield new Uint8Array(buffer, byteOffset + from, Math.min(pieceLength, byteLength - from));
  }
}
