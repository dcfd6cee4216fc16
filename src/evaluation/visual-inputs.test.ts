import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../test/support/tiny-dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { readClusters, writeClusters } from '../data/embeddings/clusters.ts';
import { hashEmbeddings } from '../data/embeddings/embeddings.ts';
import { loadDataset } from '../data/store.ts';
import { codesConfig, loadKnownEmbeddings, visualInputs } from './visual-inputs.ts';

describe('clusters that lie in a run folder', () => {
  async function made() {
    const folder = await temporaryFolder();
    const data = await tinyDataset(folder);
    const [one, other] = [join(folder, 'one.parquet'), join(folder, 'other.parquet')];
    await writeRandomEmbeddings(data, one, 1);
    await writeRandomEmbeddings(data, other, 2);
    const dataset = await loadDataset(data);
    dataset.images.close();
    return { folder, dataset, one, other, path: join(folder, 'cluster', 'clusters.parquet') };
  }

  async function inputs(dataset: Dataset, folder: string, file: string, allowLeak = false) {
    const config = codesConfig.parse({ clusters: [4] });
    const options = { config, seed: 1, folder, file, allowLeak };
    return visualInputs(dataset, await loadKnownEmbeddings(dataset, file), ['cluster-id'], options);
  }

  it('say what they are of, and are taken for it again', async () => {
    const { folder, dataset, one, path } = await made();
    const first = await inputs(dataset, folder, one);
    expect((await readClusters(path)).of).toEqual({ hash: await hashEmbeddings(one), learnedUntil: null });
    expect(await inputs(dataset, folder, one)).toEqual(first);
  });

  it('of other embeddings are refused, with both files', async () => {
    const { folder, dataset, one, other, path } = await made();
    await inputs(dataset, folder, one);
    await expect(inputs(dataset, folder, other)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: `${path} holds clusters of other embeddings than those of ${other}.`,
      remedy: expect.stringContaining('Delete it'),
    });
  });

  it('of an encoder that knows clicks of the test period are refused unless they are asked for', async () => {
    const { folder, dataset, one, path } = await made();
    await inputs(dataset, folder, one);
    const stored = await readClusters(path);
    const of = { hash: await hashEmbeddings(one), learnedUntil: dataset.splitTimes.testFrom + 1000 };
    await writeClusters(path, { ...stored, of });
    await expect(inputs(dataset, folder, one)).rejects.toMatchObject({
      code: 'LEAK',
      message: expect.stringContaining('clusters.parquet is of an encoder that knows clicks until'),
    });
    expect((await inputs(dataset, folder, one, true)).clusters).toHaveLength(1);
  });
});
