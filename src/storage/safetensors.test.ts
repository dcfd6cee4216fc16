import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { safeTensorsFile } from '../../test/support/safetensors-file.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import {
  type Destination,
  readSafeTensors,
  type SafeArray,
  type SafeTensor,
  writeSafeTensors,
} from './safetensors.ts';

const tensor = fc
  .array(fc.float({ noNaN: true }), { maxLength: 20 })
  .map((values): SafeTensor => ({ shape: [values.length], data: Float32Array.from(values) }));
const names = fc
  .string({ minLength: 1, maxLength: 8 })
  .filter((name) => name !== '__metadata__' && name !== '__proto__');
const content = fc.record({
  metadata: fc.dictionary(fc.constantFrom('step', 'seed'), fc.string()),
  tensors: fc.dictionary(names, tensor, { minKeys: 1 }).map((entries) => new Map(Object.entries(entries))),
});
/** Slices that end anywhere, inside a value too. */
const sliceLength = fc.integer({ min: 1, max: 20 });
const few = { numRuns: 30 };

/** An array of every type. */
const arrays: Readonly<Record<string, SafeArray>> = {
  bytes: Uint8Array.of(0, 255),
  doubles: Float64Array.of(Math.PI, -0),
  floats: Float32Array.of(0.5, -3),
  longs: BigInt64Array.of(-(2n ** 63n), 1n),
  natural: Uint32Array.of(2 ** 32 - 1, 0),
  shorts: Int16Array.of(-32768, 5),
  signed: Int8Array.of(-128, 127),
  unsigned: Uint16Array.of(65535, 1),
  whole: Int32Array.of(-1, 2),
  wide: BigUint64Array.of(2n ** 64n - 1n, 3n),
};
const tensorsOf = (entries: Readonly<Record<string, SafeArray>>) =>
  new Map(Object.entries(entries).map(([name, data]) => [name, { shape: [data.length], data }]));

describe('safetensors', () => {
  let path: string;
  beforeEach(async () => {
    path = join(await temporaryFolder(), 'x.safetensors');
  });
  const read = (destinationOf?: (name: string, dtype: string) => Destination, slices?: number) =>
    readSafeTensors(path, 'File', destinationOf, slices);
  const refuses = (problem: string, code = 'FILE_CORRUPT') =>
    expect(read()).rejects.toMatchObject({ code, message: expect.stringContaining(problem) });

  it('gives back what was written, whatever it was and wherever slices end', async () => {
    await fc.assert(
      fc.asyncProperty(content, sliceLength, sliceLength, async ({ metadata, tensors }, writing, reading) => {
        await writeSafeTensors(path, { metadata, tensors }, writing);
        const found = await read(undefined, reading);
        expect(found.metadata).toMatchObject(metadata);
        expect(new Map([...found.tensors].sort())).toEqual(new Map([...tensors].sort()));
      }),
      few,
    );
  });

  it('writes the same bytes in one slice and in many: header, padding, values by name', async () => {
    const values = Buffer.from(Uint8Array.of(7, 0, 0, 128, 63));
    const tensors = new Map<string, SafeTensor>([
      ['b', { shape: [1, 1], data: Float32Array.of(1) }],
      ['a', { shape: [1], data: Uint8Array.of(7) }],
    ]);
    const header =
      '{"__metadata__":{"é":"1","sha256":"caad9f8fa02886e95f402f41d8530b102ef4f678a833a8dbd405d4c07390dfb8"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1,1],"data_offsets":[1,5]}}';
    const padded = header + ' '.repeat((8 - (Buffer.byteLength(header) % 8)) % 8);
    for (const length of [1, 3, 1000]) {
      await writeSafeTensors(path, { metadata: { é: '1' }, tensors }, length);
      expect(await readFile(path)).toEqual(safeTensorsFile(padded, values));
    }
  });

  it('keeps values of every dtype that an array of JavaScript has', async () => {
    await writeSafeTensors(path, { metadata: {}, tensors: tensorsOf(arrays) });
    expect((await read()).tensors).toEqual(tensorsOf(arrays));
  });

  it('widens F16 and BF16 to the same values, and BOOL to bytes, wherever slices end', async () => {
    const halves = [0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x3555, 0x8000, 0x7c00, 0xfc00, 0x7e01];
    const expected = [1, -2, 65504, 2 ** -14, 2 ** -24, -1023 * 2 ** -24, 1365 / 4096, -0];
    const brains = Uint16Array.of(0x3f80, 0xc040, 0x0001, 0x7f80);
    const header = {
      brain: { dtype: 'BF16', shape: [4], data_offsets: [0, 8] },
      half: { dtype: 'F16', shape: [11], data_offsets: [8, 30] },
      yes: { dtype: 'BOOL', shape: [2], data_offsets: [30, 32] },
    };
    const values = Buffer.concat([
      Buffer.from(brains.buffer),
      Buffer.from(Uint16Array.from(halves).buffer),
      Buffer.from([1, 0]),
    ]);
    await writeFile(path, safeTensorsFile(header, values));
    for (const length of [1, 3, 8, 1000]) {
      const { tensors } = await read(undefined, length);
      const infinity = Number.POSITIVE_INFINITY;
      expect(tensors.get('half')?.data).toEqual(
        Float32Array.of(...expected, infinity, -infinity, Number.NaN),
      );
      expect(tensors.get('brain')?.data).toEqual(Float32Array.of(1, -3, 2 ** -133, infinity));
      expect(tensors.get('yes')?.data).toEqual(Uint8Array.of(1, 0));
    }
  });

  it('names a dtype that it cannot read, and reads the others where that tensor is not wanted', async () => {
    const header = {
      odd: { dtype: 'F8_E4M3', shape: [3], data_offsets: [0, 3] },
      w: { dtype: 'U8', shape: [1], data_offsets: [3, 4] },
    };
    await writeFile(path, safeTensorsFile(header, Uint8Array.of(1, 2, 3, 4)));
    await refuses('tensor odd has the dtype F8_E4M3, which is not supported', 'VALUE_INVALID');
    const { tensors } = await read((_, dtype) => (dtype === 'U8' ? 'new' : 'none'));
    expect(tensors).toEqual(new Map([['w', { shape: [1], data: Uint8Array.of(4) }]]));
  });

  it('fills arrays that are there, and leaves out tensors that do not fit them', async () => {
    await writeSafeTensors(path, { metadata: {}, tensors: tensorsOf(arrays) });
    const given: Readonly<Record<string, SafeArray>> = {
      floats: new Float32Array(4).subarray(1, 3),
      whole: new Int32Array(3),
      signed: new Uint8Array(2),
    };
    const { tensors } = await read((name) => given[name] ?? 'none', 3);
    expect([...tensors.keys()]).toEqual(['floats']);
    expect(tensors.get('floats')?.data).toBe(given['floats']);
    expect(given).toEqual({
      floats: Float32Array.of(0.5, -3),
      whole: new Int32Array(3),
      signed: new Uint8Array(2),
    });
  });

  it('reads one tensor of a file of 5 GiB without reading the others', async () => {
    const [large, length] = [5 * 2 ** 30, 4];
    const header = {
      large: { dtype: 'U8', shape: [large], data_offsets: [0, large] },
      small: { dtype: 'U8', shape: [length], data_offsets: [large, large + length] },
    };
    const start = safeTensorsFile(header, new Uint8Array(0));
    const file = await open(path, 'w');
    await file.write(start);
    // The hole takes no room on the disk.
    await file.write(Uint8Array.of(1, 2, 3, 4), 0, length, start.length + large);
    await file.close();
    const { tensors } = await read((name) => (name === 'small' ? 'new' : 'none'));
    expect(tensors.get('small')?.data).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('refuses a file cut at any place', async () => {
    const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    await fc.assert(
      fc.asyncProperty(content, share, async (whole, kept) => {
        await writeSafeTensors(path, whole);
        const bytes = await readFile(path);
        await writeFile(path, bytes.subarray(0, Math.floor(kept * bytes.length)));
        await refuses('is damaged');
      }),
      few,
    );
  });

  it('notices a single altered value, also of a tensor that is not wanted', async () => {
    await writeSafeTensors(path, { metadata: {}, tensors: tensorsOf(arrays) });
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    await refuses('checksum');
    await expect(read(() => 'none', 3)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  it.each([
    ['more than the file holds', { w: ['F32', [1000], 0, 4000] }, 'w is cut off'],
    ['a shape whose size overflows', { w: ['F32', [2 ** 40, 2 ** 40], 0, 8] }, 'w has 8 bytes'],
    ['a shape of another size', { w: ['F16', [3], 0, 8] }, 'w has 8 bytes'],
    ['a negative length', { w: ['U8', [8], 0, 8], x: ['U8', [-3], 8, 5] }, 'not one of safetensors'],
    ['an end before the beginning', { w: ['U8', [8], 0, 8], x: ['F8', [3], 8, 5] }, 'x has -3 bytes'],
    ['two tensors that overlap', { w: ['U8', [8], 0, 8], x: ['U8', [2], 6, 8] }, 'x does not begin where'],
    ['a hole between tensors', { w: ['U8', [2], 0, 2], x: ['U8', [4], 4, 8] }, 'x does not begin where'],
    ['less than the file holds', { w: ['U8', [4], 0, 4] }, 'bytes, not'],
    ['offsets that are no integers', { w: ['U8', [8], 0, 8.5] }, 'not one of safetensors'],
  ] as const)('refuses a header that claims %s', async (_, entries, problem) => {
    const header = Object.entries(entries).map(([name, [dtype, shape, from, to]]) => {
      return [name, { dtype, shape, data_offsets: [from, to] }];
    });
    await writeFile(path, safeTensorsFile(Object.fromEntries(header), new Uint8Array(8)));
    await refuses(problem);
  });

  it('refuses what has no header, or a length that cannot be', async () => {
    await writeFile(path, safeTensorsFile('{', new Uint8Array(8)));
    await refuses('not one of safetensors');
    const length = Buffer.alloc(16);
    length.writeBigUInt64LE(2n ** 60n);
    await writeFile(path, length);
    await refuses('header is cut off');
  });

  it('tells a file that is missing, or a folder, from a damaged one', async () => {
    await refuses('not found', 'FILE_NOT_FOUND');
    path = await temporaryFolder();
    await refuses('cannot be read', 'FILE_UNREADABLE');
  });
});
