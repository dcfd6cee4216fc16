/** The safetensors file format: a length, a JSON header, the raw values. Files read here may be hostile. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CourierError, messageOf } from '../errors.ts';
import { readInput, writeFileWhole } from './files.ts';

export type SafeArray = Float32Array | Int32Array | BigInt64Array | Uint8Array;

export interface SafeTensor {
  readonly shape: readonly number[];
  readonly data: SafeArray;
}

export interface SafeTensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

const headerLimit = 100_000_000;
/** Over every value: a file that was cut or altered is told from a whole one. */
const checksumKey = 'sha256';

const entrySchema = z.object({
  dtype: z.enum(['F32', 'I32', 'I64', 'U8']),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z
  .object({ __metadata__: z.record(z.string(), z.string()).optional() })
  .catchall(entrySchema);

type Dtype = z.infer<typeof entrySchema>['dtype'];
const widths: Readonly<Record<Dtype, number>> = { F32: 4, I32: 4, I64: 8, U8: 1 };

/** The bytes of a file with these tensors, in the order of their names. */
export function encodeSafeTensors({ metadata, tensors }: SafeTensors): Uint8Array {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = sorted.map(([, { data }]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  const values = Buffer.concat(parts);
  const checksum = createHash('sha256').update(values).digest('hex');
  const entries: [string, unknown][] = [['__metadata__', { ...metadata, [checksumKey]: checksum }]];
  let offset = 0;
  for (const [name, { shape, data }] of sorted) {
    const end = offset + data.byteLength;
    entries.push([name, { dtype: dtypeOf(data), shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, values]);
}

/**
 * The tensors of a file's bytes, copied out.
 * @throws Error that says what is wrong with the bytes
 */
export function decodeSafeTensors(bytes: Buffer): SafeTensors {
  if (bytes.length < 8) throw new Error('it is shorter than its header');
  const headerLength = Number(bytes.readBigUInt64LE());
  if (headerLength > headerLimit || 8 + headerLength > bytes.length) throw new Error('its header is cut off');
  const { __metadata__: metadata = {}, ...entries } = headerSchema.parse(
    JSON.parse(bytes.subarray(8, 8 + headerLength).toString('utf8')),
  );
  const values = bytes.subarray(8 + headerLength);
  const tensors = new Map<string, SafeTensor>();
  let expected = 0;
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(entries)) {
    const [start, end] = offsets;
    const count = shape.reduce((product, length) => product * length, 1);
    if (end - start !== count * widths[dtype] || end > values.length)
      throw new Error(`tensor ${name} is cut off`);
    tensors.set(name, { shape, data: arrayOf(dtype, values.subarray(start, end)) });
    expected = Math.max(expected, end);
  }
  if (expected !== values.length) throw new Error(`it has ${values.length} bytes of values, not ${expected}`);
  const checksum = metadata[checksumKey];
  if (checksum !== undefined && checksum !== createHash('sha256').update(values).digest('hex')) {
    throw new Error('its values do not match their checksum');
  }
  return { metadata, tensors };
}

export function writeSafeTensors(path: string, content: SafeTensors): Promise<void> {
  return writeFileWhole(path, encodeSafeTensors(content));
}

/** @throws CourierError FILE_NOT_FOUND, or FILE_CORRUPT for a file that is not whole */
export async function readSafeTensors(path: string, what: string): Promise<SafeTensors> {
  const bytes = await readInput(path, what);
  try {
    return decodeSafeTensors(bytes);
  } catch (error) {
    const remedy =
      'The file was cut off or altered. Restore it from a copy, or delete it and run the command again.';
    throw new CourierError('FILE_CORRUPT', `${what} ${path} is damaged: ${messageOf(error)}`, remedy, {
      cause: error,
    });
  }
}

/** A float32 tensor by name. */
export function floatTensor(
  content: SafeTensors,
  name: string,
): { shape: readonly number[]; data: Float32Array } {
  const found = content.tensors.get(name);
  if (found?.data instanceof Float32Array) return { shape: found.shape, data: found.data };
  throw new Error(`there is no float32 tensor ${name}`);
}

function dtypeOf(data: SafeArray): Dtype {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Int32Array) return 'I32';
  return data instanceof BigInt64Array ? 'I64' : 'U8';
}

function arrayOf(dtype: Dtype, bytes: Uint8Array): SafeArray {
  const { buffer } = new Uint8Array(bytes);
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'I64':
      return new BigInt64Array(buffer);
    case 'U8':
      return new Uint8Array(buffer);
  }
}
