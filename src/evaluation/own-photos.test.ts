import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relabelledDataset, tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { writeTinyTable } from '../../test/support/tiny-shop.ts';
import { readProvenance } from '../data/embeddings/provenance.ts';
import { loadDataset } from '../data/store.ts';
import { exportUntrainedEncoder } from '../encoders/export.ts';
import { createEncoder } from '../encoders/index.ts';
import { embed } from '../pipelines/embed/index.ts';
import { features } from '../pipelines/features/index.ts';
import { ingest } from '../pipelines/ingest/index.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';
import { Random } from '../random.ts';
import { shopSource } from '../shop/files.ts';
import { generateShop } from '../shop/generate.ts';
import { requireOwnPhotos } from './own-photos.ts';

describe('embeddings of another dataset', () => {
  let folder: string;
  let dataset: string;
  let embeddings: string;
  /** Items of the same ids with other photos, the same photos at another side, and kept as JPEG. */
  const others: Record<'photos' | 'side' | 'jpeg', string> = { photos: '', side: '', jpeg: '' };
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    const size = { items: 60, shoppers: 12, pageViews: 240, photoSide: 16 };
    const files = await generateShop({ ...size, seed: 99, out: at('other-shop') });
    others.photos = at('other');
    await ingest({ ...shopSource(files), out: others.photos, side: 16 });
    const same = await generateShop({ ...size, out: at('same-shop') });
    others.side = at('small');
    await ingest({ ...shopSource(same), out: others.side, side: 8 });
    others.jpeg = at('jpeg');
    await ingest({ ...shopSource(same), out: others.jpeg, side: 16, photosAs: 'jpeg' });
    const { encoder } = await pretrain({ ...tinyPretraining, dataset, steps: 1, out: at('run') });
    embeddings = at('e.parquet');
    await embed({ dataset, encoder, out: embeddings, npy: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function check(of: string, name: string): Promise<void> {
    const loaded = await loadDataset(of);
    await requireOwnPhotos(loaded, name).finally(() => loaded.images.close());
  }

  it('are refused where its items have other photos, as Parquet and as a matrix', async () => {
    for (const name of [embeddings, `${at('e.npy')}:${at('e.ids.csv')}`])
      await expect(check(others.photos, name)).rejects.toMatchObject({
        code: 'VALUE_INVALID',
        message: expect.stringMatching(
          /^e\.(parquet|npy) was made of the photos of another dataset: of 60 items/,
        ),
      });
    await expect(features({ dataset: others.photos, embeddings, out: at('f.parquet') })).rejects.toThrow(
      'photos of another dataset',
    );
  });

  it('are taken for their own dataset, for one with other labels and the same photos, and where sides or forms differ', async () => {
    await check(dataset, embeddings);
    await check(await relabelledDataset(dataset, 'test', () => 1, at('relabelled')), embeddings);
    await check(others.side, embeddings);
    await check(others.jpeg, embeddings);
  });

  it('are taken for what their dataset has grown to by a new day', async () => {
    const options = await writeTinyTable(at());
    const [header = '', ...rows] = (await readFile(options.log.path, 'utf8')).trim().split('\n');
    const later = at('later.csv');
    await writeFile(options.log.path, `${[header, ...rows.slice(0, 200)].join('\n')}\n`);
    await writeFile(later, `${[header, ...rows.slice(200)].join('\n')}\n`);
    const config = { source: 'table', ...options, side: 8, out: at('grown') } as const;
    await ingest(config);
    const [encoder, out] = [at('small.onnx'), at('before.parquet')];
    const built = createEncoder({ name: 'outlines', side: 8, cells: 2, width: 8, dimension: 8 });
    await writeFile(
      encoder,
      exportUntrainedEncoder(built, Random.seeded(1, 'parameters')).encode('standard'),
    );
    await embed({ dataset: config.out, encoder, out });
    await ingest({ ...config, log: { ...options.log, path: later }, append: true });
    const grown = await loadDataset(config.out);
    expect((await readProvenance(out)).photosOf?.dataset).not.toBe(grown.hash);
    await requireOwnPhotos(grown, out).finally(() => grown.images.close());
  });

  it('are taken where nothing tells: a matrix with ids of others beside it', async () => {
    const ids = at('theirs.csv');
    await writeFile(ids, 'item_id\n1\n');
    await check(others.photos, `${at('e.npy')}:${ids}`);
  });
});
