/** The header of a safetensors file: a length, then JSON that says where each tensor lies. It may be hostile. */

import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { dtypeOf, dtypes, type SafeArray } from './dtypes.ts';
import { readFully } from './files.ts';
import { parseJson } from './json.ts';

export interface SafeTensor {
  readonly shape: readonly number[];
  readonly data: SafeArray;
}

/** Where a tensor lies in a file. */
export interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the beginning of the file. */
  readonly start: number;
  readonly byteLength: number;
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order in which they lie in the file, one directly after the other. */
  readonly entries: readonly Entry[];
}

/** What is wrong with the bytes of a file, as against failures to read it. */
export class Damage extends Error {}

/** That of the reference implementation. */
const headerLimit = 100_000_000;

const offset = z.int().nonnegative();
const headerSchema = z
  .object({ __metadata__: z.record(z.string(), z.string()).optional() })
  .catchall(z.object({ dtype: z.string(), shape: z.array(offset), data_offsets: z.tuple([offset, offset]) }));

/** The first bytes of a file with these tensors, in their order. */
export function encodeHeader(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly (readonly [string, SafeTensor])[],
): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let start = 0;
  for (const [name, { shape, data }] of tensors) {
    const end = start + data.byteLength;
    entries.push([name, { dtype: dtypeOf(data), shape, data_offsets: [start, end] }]);
    start = end;
  }
  const json = JSON.stringify(Object.fromEntries(entries));
  const text = Buffer.from(json.padEnd(json.length + ((8 - (Buffer.byteLength(json) % 8)) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

/**
 * The header, once it agrees with itself and with the length of the file: its tensors fill the rest without gap or
 * overlap, so that nothing is allocated later that the file does not hold.
 * @throws Damage
 */
export async function readHeader(file: FileHandle): Promise<Header> {
  const { size } = await file.stat();
  const length = Buffer.alloc(8);
  if (size < length.length) throw new Damage('it is shorter than its header');
  await readWhole(file, length, 0);
  const textLength = Number(length.readBigUInt64LE());
  const start = length.length + textLength;
  if (textLength > headerLimit || start > size) throw new Damage('its header is cut off');
  const text = Buffer.alloc(textLength);
  await readWhole(file, text, length.length);
  const parsed = headerSchema.safeParse(parseJson(text.toString('utf8')));
  if (!parsed.success) throw new Damage('its header is not one of safetensors');
  const { __metadata__: metadata = {}, ...named } = parsed.data;
  const entries = Object.entries(named)
    .map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]): Entry => {
        return { name, dtype, shape, start: start + from, byteLength: to - from };
      },
    )
    .sort((a, b) => a.start - b.start || a.byteLength - b.byteLength);
  requireGapless(entries, start, size);
  return { metadata, entries };
}

function requireGapless(entries: readonly Entry[], start: number, size: number): void {
  let end = start;
  for (const { name, dtype, shape, start: from, byteLength } of entries) {
    if (from + byteLength > size) throw new Damage(`tensor ${name} is cut off`);
    if (from !== end) throw new Damage(`tensor ${name} does not begin where the one before it ends`);
    const width = dtypes.get(dtype)?.width;
    // A product that is too large to be exact is larger than any file.
    const count = shape.reduce((product, length) => product * length, 1);
    if (byteLength < 0 || (width !== undefined && byteLength !== count * width))
      throw new Damage(`tensor ${name} has ${byteLength} bytes, and its shape is [${shape}]`);
    end = from + byteLength;
  }
  if (end !== size) throw new Damage(`it has ${size} bytes, not ${end}`);
}

/** Fills `into` with the bytes from a position on. @throws Damage when the file ends before */
export async function readWhole(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  if (!(await readFully(file, into, position))) throw new Damage('it is cut off');
}
