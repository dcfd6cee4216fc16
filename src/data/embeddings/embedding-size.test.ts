import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { ItemEmbeddings } from '../../features/item-embeddings.ts';
import { Random } from '../../random.ts';
import { nameAtSize } from './embedding-files.ts';
import { matrixFiles, writeEmbeddingMatrix } from './embedding-matrix.ts';
import { asBytes, atSize, bytesOf, embeddingSizes, sizeOf, sizeText } from './embedding-size.ts';
import { hashEmbeddings, readEmbeddings, vectorsOf, writeTracedEmbeddings } from './embeddings.ts';
import { readProvenance } from './provenance.ts';

const random = Random.seeded(3, 'sizes');
const dimension = 12;
const ids = ['a', 'b', 'c', 'd'];
const vectors = Float32Array.from(
  ids.flatMap((id) => {
    if (id === 'd') return Array<number>(dimension).fill(0);
    const values = Array.from({ length: dimension }, () => random.normal());
    return values.map((value) => value / Math.hypot(...values));
  }),
);
const traced = {
  ids,
  vectors: vectorsOf({ ids, dimension, vectors }),
  hashes: ids,
  provenance: {
    origin: { encoder: 'abc', precision: 'float32', model: 'abc' },
    learnedUntil: 1_700_000_000_000,
    photosOf: null,
  },
};

describe('the size of embeddings', () => {
  it('is read as it is written', () => {
    for (const text of ['64', 'int8', '64-int8']) expect(sizeText(sizeOf(text))).toBe(text);
    expect(sizeOf('64-int8')).toEqual({ first: 64, numbers: 'int8' });
    expect(embeddingSizes.parse([64, '32', 'int8'])).toEqual(['64', '32', 'int8']);
    for (const sizes of [[64, '64'], ['0'], ['int4'], ['64-'], [1.5]])
      expect(embeddingSizes.safeParse(sizes).success).toBe(false);
  });

  it('says how many bytes an embedding takes', () => {
    const bytes = ['64', 'int8', '64-int8'].map((text) => bytesOf(sizeOf(text), 256));
    expect(bytes).toEqual([4 * 64, 256, 64]);
  });

  it('of bytes turns no embedding by more than half a step of each number', () => {
    const numbers = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 64 });
    fc.assert(
      fc.property(numbers, (values) => {
        const vector = Float32Array.from(values);
        const most = Math.max(...vector.map(Math.abs));
        fc.pre(most > 1e-20);
        for (const [place, byte] of asBytes(vector, sizeOf('int8')).entries())
          expect(Math.abs((byte * most) / 127 - vector[place]!)).toBeLessThanOrEqual(
            most * (0.5 / 127 + 1e-6),
          );
        expect(Math.hypot(...atSize(vector, sizeOf('int8')))).toBeCloseTo(1, 5);
      }),
    );
  });

  it.each(['5', 'int8', '5-int8'])('of a written file is what the whole one is read at: %s', async (text) => {
    const folder = await temporaryFolder();
    const [whole, small] = [join(folder, 'e.parquet'), join(folder, `e.${text}.parquet`)];
    await writeTracedEmbeddings(whole, traced);
    await writeTracedEmbeddings(small, traced, sizeOf(text));
    const files = matrixFiles(small);
    await writeEmbeddingMatrix(files, traced, sizeOf(text));
    const asked = nameAtSize(whole, sizeOf(text));
    const known = async (name: string) => {
      const read = await readEmbeddings(name);
      return ItemEmbeddings.forCatalogue({ ids }, read.ids, read.vectors);
    };
    const expected = await known(asked);
    expect(expected.dimension).toBe(text.startsWith('5') ? 5 : dimension);
    expect([...expected.present]).toEqual([1, 1, 1, 0]);
    for (const name of [small, `${files.vectors}:${files.ids}`]) {
      const found = await known(name);
      expect(found.vectors.length).toBe(expected.vectors.length);
      for (const [place, value] of found.vectors.entries())
        expect(value).toBeCloseTo(expected.vectors[place]!, 6);
      expect(await readProvenance(name)).toEqual(await readProvenance(asked));
    }
    expect((await readProvenance(asked)).origin?.size).toBe(text);
    expect(await hashEmbeddings(asked)).not.toBe(await hashEmbeddings(whole));
  });

  it('that a file does not have, or that is none, is refused in words', async () => {
    const path = join(await temporaryFolder(), 'e.parquet');
    await writeTracedEmbeddings(path, traced);
    const refusals = {
      'first=13': 'has 12 numbers an embedding, not the 13',
      'first=0': 'asks for the first 0 numbers',
      'first=4&first=5': 'names first twice',
      'numbers=int4': 'asks for numbers of the type int4',
    };
    for (const [part, message] of Object.entries(refusals))
      await expect(readEmbeddings(`${path}#${part}`)).rejects.toThrow(message);
    const { dimension: whole } = await readEmbeddings(`${path}#first=12`);
    expect(whole).toBe(12);
  });
});
