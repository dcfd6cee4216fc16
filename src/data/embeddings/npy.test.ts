import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { readEmbeddings } from './embeddings.ts';
import { readNpy, writeNpy } from './npy.ts';

/** A file as numpy.save writes it, of format 1.0. */
function npy(descr: string, shape: string, data: Uint8Array, order = 'False'): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    length,
    Buffer.from(padded, 'latin1'),
    data,
  ]);
}

async function written(bytes: Buffer): Promise<string> {
  const path = join(await temporaryFolder(), 'vectors.npy');
  await writeFile(path, bytes);
  return path;
}

const bytesOf = ({ buffer }: { buffer: ArrayBufferLike }) => new Uint8Array(buffer);

describe('npy files', () => {
  it.each([
    ['<f4', bytesOf(Float32Array.of(1, -2, 0.5, 4))],
    ['<f8', bytesOf(Float64Array.of(1, -2, 0.5, 4))],
    // 1, −2, 0.5 and 4 in half precision.
    ['<f2', bytesOf(Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4400))],
  ])('of %s are read as vectors', async (descr, data) => {
    const { rows, dimension, values } = await readNpy(await written(npy(descr, '(2, 2)', data)));
    expect([rows, dimension, [...values]]).toEqual([2, 2, [1, -2, 0.5, 4]]);
  });

  it('of small integers are read, and what half precision holds at its ends', async () => {
    const integers = await readNpy(await written(npy('|i1', '(1, 3)', bytesOf(Int8Array.of(-128, 0, 127)))));
    expect([...integers.values]).toEqual([-128, 0, 127]);
    const halves = Uint16Array.of(0x0001, 0x7bff, 0x8000, 0xfc00);
    const { values } = await readNpy(await written(npy('<f2', '(1, 4)', bytesOf(halves))));
    expect([...values]).toEqual([2 ** -24, 65504, -0, Number.NEGATIVE_INFINITY]);
  });

  it('have their ids in another file, one for each row', async () => {
    const path = await written(npy('<f4', '(2, 2)', bytesOf(Float32Array.of(1, 0, 0, 2))));
    const ids = path.replace('vectors.npy', 'ids.csv');
    await writeFile(ids, 'item\n7.0\n8.0\n');
    expect(await readEmbeddings(`${path}:${ids}`)).toEqual({
      ids: ['7', '8'],
      dimension: 2,
      vectors: Float32Array.of(1, 0, 0, 2),
    });
    await expect(readEmbeddings(`${path}:${ids}#vector=emb`)).rejects.toThrow('none that is called `emb`');
    await writeFile(ids, 'item\n7\n');
    await expect(readEmbeddings(`${path}:${ids}`)).rejects.toThrow(/has 2 rows and ids.csv 1 ids/);
  });

  it('are written as numpy.save does, and read back over many rows', async () => {
    const [length, dimension] = [5000, 3];
    const path = join(await temporaryFolder(), 'vectors.npy');
    const row = new Float32Array(dimension);
    await writeNpy(path, {
      numbers: 'float32',
      vectors: { length, dimension, at: (index) => row.fill(index) },
    });
    const file = await readFile(path);
    expect(file.length).toBe(128 + 4 * length * dimension);
    expect(file.toString('latin1', 10, 128)).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(5000, 3\), \} *\n$/,
    );
    const { values, ...shape } = await readNpy(path);
    expect(shape).toEqual({ rows: length, dimension });
    expect(values).toEqual(Float32Array.from({ length: length * dimension }, (_, i) => Math.floor(i / 3)));
  });

  it('that are cut, of another shape, order or type are refused by name', async () => {
    const data = bytesOf(Float32Array.of(1, 2, 3, 4));
    for (const [bytes, message] of [
      [npy('<f4', '(2, 3)', data), /bytes, not those of 2 × 3/],
      [npy('<f4', '(4,)', data), /no matrix/],
      [npy('<f4', '(2, 2)', data, 'True'), /C order/],
      [npy('|O', '(2, 2)', data), /type \|O/],
      [Buffer.from('no array at all'), /no npy file/],
    ] as const)
      await expect(readNpy(await written(bytes))).rejects.toThrow(message);
  });
});
