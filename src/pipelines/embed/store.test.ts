import { createHash } from 'node:crypto';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { vectorsOf as vectorRows, writeTracedEmbeddings } from '../../data/embeddings/embeddings.ts';
import { exists } from '../../storage/files.ts';
import { EmbeddingStore } from './store.ts';

const origin = { encoder: 'e', precision: 'float32', model: 'e' };
const hashOf = (name: string) => createHash('sha256').update(name).digest('hex');
const batches = [['a', 'b'], ['c'], ['d', 'e', 'f']].map((names) => names.map(hashOf));
const vectorsOf = (hashes: readonly string[]) =>
  Float32Array.from(hashes.flatMap((hash) => [0, 1, 2].map((place) => hash.charCodeAt(place) / 7)));

async function written(): Promise<{ out: string; lengths: readonly number[]; bytes: Buffer }> {
  const out = join(await temporaryFolder(), 'e.parquet');
  const store = await EmbeddingStore.open(out, origin);
  const lengths = [JSON.stringify(origin).length + 1];
  for (const hashes of batches) {
    await store.add(hashes, vectorsOf(hashes));
    lengths.push((await stat(`${out}.partial`)).size);
  }
  await store.close();
  return { out, lengths, bytes: await readFile(`${out}.partial`) };
}

describe('the store of embeddings', () => {
  it('cut off at any byte, has exactly the batches that were whole, and goes on to the same bytes', async () => {
    const { out, lengths, bytes } = await written();
    for (let length = 0; length <= bytes.length; length++) {
      await writeFile(`${out}.partial`, bytes.subarray(0, length));
      const store = await EmbeddingStore.open(out, origin);
      const whole = lengths.filter((each) => each <= length).length - 1;
      for (const [index, hashes] of batches.entries()) {
        for (const hash of hashes) expect(store.has(hash)).toBe(index < whole);
        if (index >= whole) await store.add(hashes, vectorsOf(hashes));
        expect([...store.of(hashes[0]!)]).toEqual([...vectorsOf(hashes).subarray(0, 3)]);
      }
      await store.close();
      expect((await readFile(`${out}.partial`)).equals(bytes)).toBe(true);
    }
  });

  it('has what a file of more than 2 GiB begins with, and cuts off the rest', async () => {
    const { out, bytes } = await written();
    await truncate(`${out}.partial`, 2 ** 31 + 2 ** 20);
    const store = await EmbeddingStore.open(out, origin);
    expect(batches.flat().every((hash) => store.has(hash))).toBe(true);
    const [hashes, vectors] = [[hashOf('more')], Float32Array.of(1, 2, 3)];
    await store.add(hashes, vectors);
    await store.close();
    const grown = await readFile(`${out}.partial`);
    expect(grown.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(grown.length).toBeLessThan(bytes.length + 100);
  });

  it('finds batches wherever they lie in a long file', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    const store = await EmbeddingStore.open(out, origin);
    const long = ['a', 'b', 'c'].map(hashOf);
    for (const [value, hash] of long.entries())
      await store.add([hash], new Float32Array(2 ** 21).fill(value));
    await store.close();
    const reopened = await EmbeddingStore.open(out, origin);
    const values = long.map((hash) => [reopened.of(hash)[0], reopened.of(hash).at(-1)]);
    expect(values).toEqual([0, 1, 2].map((value) => [value, value]));
    await reopened.close();
  });

  it('trusts no chunk of which a bit has changed', async () => {
    const { out, lengths, bytes } = await written();
    for (let at = lengths[0]!; at < lengths[1]!; at += 5) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 4;
      await writeFile(`${out}.partial`, damaged);
      const store = await EmbeddingStore.open(out, origin);
      expect(batches.flat().some((hash) => store.has(hash))).toBe(false);
      await store.close();
    }
  });

  it('takes nothing over from another origin, finished or not, and says that it found it', async () => {
    const { out } = await written();
    const other = { ...origin, precision: 'int8' };
    const store = await EmbeddingStore.open(out, other);
    expect([store.found, store.has(batches[0]![0]!)]).toEqual(['another origin', false]);
    await store.remove();
    await store.close();
    expect(await exists(`${out}.partial`)).toBe(false);
    const [hashes] = batches;
    const ids = ['x', 'y'];
    const vectors = vectorRows({ ids, dimension: 3, vectors: vectorsOf(hashes!) });
    const provenance = { origin, learnedUntil: null, photosOf: null };
    const traced = { ids, hashes: hashes!, vectors, provenance };
    await writeTracedEmbeddings(out, traced);
    for (const [asked, found] of [
      [other, 'another origin'] as const,
      [{ ...origin, pixels: '2' }, 'another origin'] as const,
      [origin, 'same origin'] as const,
    ]) {
      const reopened = await EmbeddingStore.open(out, asked);
      expect([reopened.found, reopened.has(hashes![0]!)]).toEqual([found, asked === origin]);
      await reopened.close();
    }
  });

  it('takes over what was made of photos by the same version of decoding, and of no other', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    const [hashes, ids] = [batches[0]!, ['x', 'y']];
    const vectors = vectorRows({ ids, dimension: 3, vectors: vectorsOf(hashes) });
    const provenance = { origin, learnedUntil: null, photosOf: null, pixels: '2' };
    await writeTracedEmbeddings(out, { ids, hashes, vectors, provenance });
    for (const pixels of ['2', '3']) {
      const store = await EmbeddingStore.open(out, { ...origin, pixels });
      expect(store.found).toBe(pixels === '2' ? 'same origin' : 'another origin');
      await store.close();
    }
  });

  it('refuses to overwrite a file that holds no embeddings', async () => {
    const out = join(await temporaryFolder(), 'diary.txt');
    await writeFile(out, 'dear diary');
    await expect(EmbeddingStore.open(out, origin)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(await readFile(out, 'utf8')).toBe('dear diary');
    expect(await exists(`${out}.partial`)).toBe(false);
  });
});
