import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset } from '../../../test/support/tiny-dataset.ts';
import { NONE } from '../../data/dataset.ts';
import { readCentres, readClusters } from '../../data/embeddings/clusters.ts';
import {
  embeddingsOfItems,
  type StoredEmbeddings,
  vectorsOf,
  writeEmbeddings,
  writeTracedEmbeddings,
} from '../../data/embeddings/embeddings.ts';
import { loadDataset } from '../../data/store.ts';
import { exists } from '../../storage/files.ts';
import { assignClusters } from './assign.ts';

const items = 60;

describe('cluster', () => {
  let folder: string;
  let dataset: string;
  let embeddings: string;
  let stored: StoredEmbeddings;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    stored = await colours(dataset);
    embeddings = join(folder, 'embeddings.parquet');
    await writeEmbeddings(embeddings, stored);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The mean colour of four quarters of each photo, from the middle of all, as its embedding. */
  async function colours(path: string): Promise<StoredEmbeddings> {
    const loaded = await loadDataset(path);
    const { images } = loaded;
    const rows = Array.from({ length: images.count }, (_, photo) =>
      quarters(images.read([photo]), images.side),
    );
    loaded.images.close();
    const middle = rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
    const centred = rows.map((row) => row.map((value, i) => value - middle[i]!));
    const unit = centred.flatMap((row) => row.map((value) => value / Math.hypot(...row)));
    return embeddingsOfItems(loaded, Float32Array.from(unit));
  }

  function quarters(pixels: Uint8Array, side: number): number[] {
    const sums = Array<number>(12).fill(0);
    for (const [place, value] of pixels.entries()) {
      const [x, y] = [Math.floor(place / 3) % side, Math.floor(place / 3 / side)];
      sums[3 * (2 * Math.floor((2 * y) / side) + Math.floor((2 * x) / side)) + (place % 3)]! += value;
    }
    return sums;
  }

  function run(...words: string[]) {
    return courier('cluster', '--json', ...words);
  }

  it('refuses a file in which an item has two embeddings, to cluster and to assign', async () => {
    const own = await temporaryFolder();
    const centres = join(own, 'run', 'centres.safetensors');
    const made = await run('--embeddings', embeddings, '--clusters', '4', '--out', join(own, 'run'));
    expect(made.exitCode).toBe(0);
    const path = join(own, 'twice.parquet');
    await writeEmbeddings(path, {
      ...stored,
      ids: stored.ids.map((id, row) => (row === 1 ? stored.ids[0]! : id)),
    });
    const out = join(own, 'refused');
    for (const more of [
      ['--clusters', '4'],
      ['--assign', centres],
    ]) {
      const { json } = await run('--embeddings', path, '--out', out, ...more);
      expect(json).toMatchObject({
        error: {
          code: 'VALUE_INVALID',
          message: `${path} cannot be used: item ${stored.ids[0]} has two embeddings.`,
        },
      });
    }
  });

  it('writes ids for every item, centres, and a sheet of each granularity', async () => {
    const out = join(await temporaryFolder(), 'run');
    const words = [
      '--dataset',
      dataset,
      '--clusters',
      '5,12',
      '--semantic-levels',
      '2',
      '--semantic-codes',
      '4',
    ];
    const ran = await run('--embeddings', embeddings, ...words, '--out', out);
    expect([ran.exitCode, ran.stderr]).toMatchObject([0, expect.stringContaining('cluster_12')]);
    expect(ran.json).toMatchObject({
      ok: true,
      items,
      without: 0,
      granularities: [
        { name: 'cluster_5', count: 5, sizes: { empty: 0 }, sheet: join(out, 'cluster_5.png') },
        { name: 'cluster_12', count: 12, sizes: { empty: 0 }, sheet: join(out, 'cluster_12.png') },
      ],
      semanticErrors: [expect.any(Number), expect.any(Number)],
    });
    const { ids, columns } = await readClusters(join(out, 'clusters.parquet'));
    expect(ids).toEqual(stored.ids);
    expect(columns.map(({ name }) => name)).toEqual(['cluster_5', 'cluster_12', 'semantic_1', 'semantic_2']);
    for (const { codes, count } of columns.slice(0, 2)) expect(new Set(codes).size).toBe(count);
    const { centres, dimension } = await readCentres(join(out, 'centres.safetensors'));
    expect(centres.map(({ name, values }) => [name, values.length / dimension])).toEqual([
      ['cluster_5', 5],
      ['cluster_12', 12],
      ['semantic_1', 4],
      ['semantic_2', 4],
    ]);
    // The first photo of the first row stands right of the label, below the title.
    const sheet = sharp(join(out, 'cluster_5.png'));
    expect(await sheet.metadata()).toMatchObject({ format: 'png', width: 1210 });
    const tile = await sheet.extract({ left: 172, top: 64, width: 96, height: 96 }).stats();
    expect(tile.channels.some(({ stdev }) => stdev > 5)).toBe(true);
  });

  it('gives the same bytes again for the same seed, and refuses the folder of another run', async () => {
    const root = await temporaryFolder();
    const [one, two] = [join(root, 'one'), join(root, 'two')];
    for (const out of [one, two, one]) {
      const ran = await run('--embeddings', embeddings, '--clusters', '6', '--seed', '3', '--out', out);
      expect([ran.exitCode, ran.stderr]).toMatchObject([0, expect.stringContaining('No contact sheets')]);
      expect(ran.json).toMatchObject({ granularities: [{ sheet: null }] });
    }
    for (const file of ['clusters.parquet', 'centres.safetensors'])
      expect(await readFile(join(one, file))).toEqual(await readFile(join(two, file)));
    expect(await exists(join(one, 'cluster_6.png'))).toBe(false);
    const other = await run('--embeddings', embeddings, '--clusters', '6', '--seed', '4', '--out', one);
    expect([other.exitCode, other.json]).toMatchObject([1, { error: { code: 'OUTPUT_EXISTS' } }]);
  });

  it('assigns the items that were clustered to where they were, and new ones to the nearest centre', async () => {
    const root = await temporaryFolder();
    const first = join(root, 'first');
    await run(
      '--embeddings',
      embeddings,
      '--clusters',
      '4,9',
      '--semantic-levels',
      '2',
      '--semantic-codes',
      '5',
      '--out',
      first,
    );
    const centres = join(first, 'centres.safetensors');
    const again = join(root, 'again');
    const settings = { assign: centres, embeddings, out: again };
    const stopped = assignClusters(settings, { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow('abort');
    const ran = await run('--assign', centres, '--embeddings', embeddings, '--out', again);
    expect([ran.exitCode, ran.json]).toMatchObject([0, { items, without: 0 }]);
    expect(await readClusters(join(again, 'clusters.parquet'))).toEqual(
      await readClusters(join(first, 'clusters.parquet')),
    );
    const { dimension, vectors } = stored;
    const fresh = join(root, 'fresh.parquet');
    const two = Float32Array.of(...vectors.subarray(0, dimension), ...new Float32Array(dimension));
    await writeEmbeddings(fresh, { ids: ['new', 'bare'], dimension, vectors: two });
    const assigned = await run('--assign', centres, '--embeddings', fresh, '--out', join(root, 'fresh'));
    expect(assigned.json).toMatchObject({ items: 1, without: 1 });
    const known = (await readClusters(join(first, 'clusters.parquet'))).columns;
    const { columns } = await readClusters(join(root, 'fresh', 'clusters.parquet'));
    expect(columns.map(({ codes }) => [...codes])).toEqual(known.map(({ codes }) => [codes[0], NONE]));
  });

  it('refuses to assign where no item has an embedding', async () => {
    const root = await temporaryFolder();
    const [first, bare] = [join(root, 'first'), join(root, 'bare.parquet')];
    await run('--embeddings', embeddings, '--clusters', '2', '--out', first);
    const { dimension } = stored;
    await writeEmbeddings(bare, { ids: ['bare'], dimension, vectors: new Float32Array(dimension) });
    const centres = join(first, 'centres.safetensors');
    const refused = await run('--assign', centres, '--embeddings', bare, '--out', join(root, 'no'));
    expect([refused.exitCode, refused.json]).toMatchObject([1, { error: { code: 'VALUE_INVALID' } }]);
    expect(refused.stderr).toContain('None of the items');
    expect(await exists(join(root, 'no'))).toBe(false);
  });

  it('tells cosines of embeddings whose length float16 has changed', async () => {
    const root = await temporaryFolder();
    const shorter = join(root, 'shorter.parquet');
    await writeEmbeddings(shorter, { ...stored, vectors: stored.vectors.map((value) => 0.999 * value) });
    const meanOf = async (path: string, out: string) => {
      const ran = await run('--embeddings', path, '--clusters', '8', '--out', join(root, out));
      expect(ran.json).toMatchObject({ items, without: 0 });
      return z.object({ granularities: z.tuple([z.object({ meanCosine: z.number() })]) }).parse(ran.json)
        .granularities[0].meanCosine;
    };
    const mean = await meanOf(shorter, 'run');
    expect(mean).toBeCloseTo(await meanOf(embeddings, 'other'), 5);
    const centres = join(root, 'run', 'centres.safetensors');
    const assigned = await run('--assign', centres, '--embeddings', shorter, '--out', join(root, 'assigned'));
    expect(assigned.json).toMatchObject({ meanCosines: { cluster_8: expect.closeTo(mean, 5) } });
  });

  it('does not assign embeddings of another encoder or length', async () => {
    const root = await temporaryFolder();
    const traced = async (name: string, encoder: string) => {
      const path = join(root, name);
      const origin = { encoder, precision: 'float32', model: encoder };
      await writeTracedEmbeddings(path, {
        ids: stored.ids,
        vectors: vectorsOf(stored),
        hashes: stored.ids.map(() => 'h'),
        provenance: { origin, learnedUntil: null, photosOf: null },
      });
      return path;
    };
    const [one, other] = [await traced('one.parquet', 'one'), await traced('other.parquet', 'other')];
    await run('--embeddings', one, '--clusters', '4', '--out', join(root, 'run'));
    const centres = join(root, 'run', 'centres.safetensors');
    const refused = await run('--assign', centres, '--embeddings', other, '--out', join(root, 'no'));
    expect([refused.exitCode, refused.stderr]).toMatchObject([1, expect.stringContaining('another encoder')]);
    const short = join(root, 'short.parquet');
    await writeEmbeddings(short, { ids: ['a'], dimension: 2, vectors: Float32Array.of(1, 0) });
    const unequal = await run('--assign', centres, '--embeddings', short, '--out', join(root, 'no'));
    expect(unequal.stderr).toMatch(/the centres have length \d+, the embeddings 2/);
  });

  it('refuses more clusters than items, settings that cannot be, and a dataset of other items', async () => {
    const root = await temporaryFolder();
    const refuse = async (code: string, part: string, ...words: string[]) => {
      const ran = await run('--embeddings', embeddings, '--out', join(root, part), ...words);
      expect([ran.exitCode, ran.json, ran.stderr]).toMatchObject([
        1,
        { ok: false, error: { code } },
        expect.stringContaining(part),
      ]);
    };
    await refuse('VALUE_INVALID', '60 items, for 61 clusters', '--clusters', '61');
    await refuse('CONFIG_INVALID', '`clusters.0`', '--clusters', '100001');
    await refuse('CONFIG_INVALID', '`clusters.1`', '--clusters', '5,many');
    await refuse('CONFIG_INVALID', '`initialization`', '--clusters', '5', '--set', 'initialization=anywhere');
    await refuse('CONFIG_INVALID', 'a number is given twice', '--clusters', '5,5');
    await refuse('CONFIG_INVALID', 'unknown key `clusters`', '--clusters', '5', '--assign', 'x');
    const strange = join(root, 'strange.parquet');
    await writeEmbeddings(strange, { ...stored, ids: stored.ids.map((id) => `other ${id}`) });
    const ran = await run(
      '--embeddings',
      strange,
      '--dataset',
      dataset,
      '--clusters',
      '3',
      '--out',
      join(root, 's'),
    );
    expect(ran.stderr).toContain('None of the embedded items has a photo');
    await writeFile(join(root, 'broken.safetensors'), 'broken');
    await refuse('FILE_CORRUPT', 'is damaged', '--assign', join(root, 'broken.safetensors'));
  });
});
