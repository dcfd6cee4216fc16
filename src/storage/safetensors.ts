/**
 * The safetensors file format: a header, then the raw values. Values go from and to the arrays of the tensors slice by
 * slice: a file may be larger than what Node reads, writes or hashes in one piece, and than half of the memory.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { CourierError } from '../errors.ts';
import { dtypes, type Filling, type SafeArray } from './dtypes.ts';
import { withInput, writeWhole } from './files.ts';
import {
  Damage,
  type Entry,
  encodeHeader,
  type Header,
  readHeader,
  readWhole,
  type SafeTensor,
} from './safetensors-header.ts';

export type { SafeArray } from './dtypes.ts';
export type { SafeTensor } from './safetensors-header.ts';

export interface SafeTensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

/**
 * Where the values of a tensor go: into a new array, as `floats` into one of float32 whatever its dtype, into nothing, or into
 * an array that is there. One of another type or length than the tensor is left as it is, and the tensor is left out.
 */
export type Destination = 'new' | 'floats' | 'none' | SafeArray;

/** Over every value: a file that was cut or altered is told from a whole one. */
const checksumKey = 'sha256';

/** Bytes that are read, written or hashed at a time. */
const defaultSliceLength = 2 ** 26;

/**
 * Writes tensors in the order of their names.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeSafeTensors(
  path: string,
  { metadata, tensors }: SafeTensors,
  sliceLength = defaultSliceLength,
): Promise<void> {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256');
  for (const slice of slicesOf(sorted, sliceLength)) {
    hash.update(slice);
    // Gigabytes take seconds, in which others want this thread.
    await setImmediate();
  }
  const header = encodeHeader({ ...metadata, [checksumKey]: hash.digest('hex') }, sorted);
  await writeWhole(path, async (temporary) => {
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(header);
      for (const slice of slicesOf(sorted, sliceLength)) await file.writeFile(slice);
    } finally {
      await file.close();
    }
  });
}

/**
 * Reads the tensors that have a destination. All values are checked where the file has our checksum; without one, what
 * has no destination is not even read. F16 and BF16 become float32, BOOL becomes bytes.
 * @param destinationOf by the name and the dtype of a tensor
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a file that is not whole; VALUE_INVALID for a
 * tensor that has a destination, and a dtype that cannot be read
 */
export async function readSafeTensors(
  path: string,
  what: string,
  destinationOf: (name: string, dtype: string) => Destination = () => 'new',
  sliceLength = defaultSliceLength,
): Promise<SafeTensors> {
  return withInput(path, what, async (file) => {
    try {
      const { metadata, entries } = await readHeader(file);
      const chosen = entries.map((entry) => {
        const destination = destinationOf(entry.name, entry.dtype);
        return { entry, filling: fillingOf(entry, destination, `${what} ${path}`) };
      });
      await readValues(file, chosen, metadata[checksumKey], sliceLength);
      const tensors = chosen.flatMap(({ entry: { name, shape }, filling }): [string, SafeTensor][] =>
        filling === null ? [] : [[name, { shape, data: filling.data }]],
      );
      return { metadata, tensors: new Map(tensors) };
    } catch (error) {
      throw error instanceof Damage ? damaged(`${what} ${path}`, error) : error;
    }
  });
}

/**
 * What a file holds, without its values.
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE; FILE_CORRUPT for a file that is not whole
 */
export async function readSafeTensorsHeader(path: string, what: string): Promise<Header> {
  return withInput(path, what, async (file) => {
    try {
      return await readHeader(file);
    } catch (error) {
      throw error instanceof Damage ? damaged(`${what} ${path}`, error) : error;
    }
  });
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

function fillingOf(
  { name, dtype, byteLength }: Entry,
  destination: Destination,
  file: string,
): Filling | null {
  if (destination === 'none') return null;
  const type = dtypes.get(dtype);
  if (type !== undefined) {
    const length = byteLength / type.width;
    return destination === 'floats'
      ? type.floats(length)
      : type.fill(length, destination === 'new' ? null : destination);
  }
  throw unsupportedDtype(file, name, dtype, [...dtypes.keys()]);
}

export function unsupportedDtype(
  file: string,
  name: string,
  dtype: string,
  supported: readonly string[],
): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${file}: tensor ${name} has the dtype ${dtype}, which is not supported.`,
    `Convert it to ${supported.join(', ')}.`,
  );
}

/** @throws Damage when the values do not have the checksum */
async function readValues(
  file: FileHandle,
  chosen: readonly { readonly entry: Entry; readonly filling: Filling | null }[],
  checksum: string | undefined,
  sliceLength: number,
): Promise<void> {
  const hash = checksum === undefined ? null : createHash('sha256');
  for (const { entry, filling } of chosen) {
    if (filling !== null || hash !== null) await readTensor(file, entry, filling, hash, sliceLength);
  }
  if (hash !== null && hash.digest('hex') !== checksum)
    throw new Damage('its values do not match their checksum');
}

/** @param hash takes the bytes of the tensor along */
async function readTensor(
  file: FileHandle,
  { start, dtype, byteLength }: Entry,
  filling: Filling | null,
  hash: Hash | null,
  sliceLength: number,
): Promise<void> {
  const width = dtypes.get(dtype)?.width ?? 1;
  const step = Math.max(width, sliceLength - (sliceLength % width));
  const inPlace = filling?.widen === null ? filling.data : null;
  const passing = new Uint8Array(inPlace === null ? Math.min(step, byteLength) : 0);
  for (let from = 0; from < byteLength; from += step) {
    const length = Math.min(step, byteLength - from);
    const slice = inPlace === null ? passing.subarray(0, length) : bytesOf(inPlace, from, length);
    await readWhole(file, slice, start + from);
    hash?.update(slice);
    filling?.widen?.(slice, from / width);
  }
}

function* slicesOf(
  tensors: readonly (readonly [string, SafeTensor])[],
  sliceLength: number,
): Generator<Uint8Array> {
  for (const [, { data }] of tensors) {
    for (let from = 0; from < data.byteLength; from += sliceLength)
      yield bytesOf(data, from, Math.min(sliceLength, data.byteLength - from));
  }
}

/** A view of some bytes of an array. */
function bytesOf({ buffer, byteOffset }: SafeArray, from: number, length: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, length);
}

function damaged(file: string, damage: Damage): CourierError {
  const remedy =
    'The file was cut off or altered. Restore it from a copy, or delete it and run the command again.';
  return new CourierError('FILE_CORRUPT', `${file} is damaged: ${damage.message}`, remedy, { cause: damage });
}
