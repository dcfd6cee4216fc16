import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { comparable, numbersOf } from '../../test/support/numbers.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { unsaved } from '../../test/support/unsaved-dataset.ts';
import { numericRows } from './counters/numeric-rows.ts';
import { NONE } from './dataset.ts';
import { partFiles } from './manifest.ts';
import { closeDataset, loadDataset, writeDataset } from './store.ts';

const made = { config: { source: 'test' }, inputs: '0'.repeat(64), appended: [] };

type InMemory = Parameters<typeof unsaved>[0];

const dataset = {
  name: 'three items',
  catalogue: {
    ids: ['a', "b'", 'ü\n'],
    photo: Int32Array.of(1, NONE, 0),
    titles: ['first', null, ''],
    categories: [{ name: 'colour "x"', values: ['unknown', 'red'], codes: Int32Array.of(1, 0, 1) }],
  },
  users: ['u1', 'u2'],
  pageViews: {
    user: Int32Array.of(1, 0),
    time: Float64Array.of(1.7e12 + 0.5, 1.8e12),
    split: Uint8Array.of(0, 2),
    start: Int32Array.of(0, 2, 3),
    history: Int32Array.of(NONE, NONE, 2, NONE),
    historyLength: 2,
  },
  exposures: {
    item: Int32Array.of(0, 1, 2),
    clicked: Uint8Array.of(1, 0, 0),
    numeric: numericRows(['price', 'Item'], Float32Array.of(0.1, 2, 1e-30, 4, 5, 6)),
    context: [{ name: 'device', values: ['unknown', 'phone'], codes: Int32Array.of(1, 1, 0) }],
  },
  splitTimes: { validationFrom: 1.75e12, testFrom: 1.76e12 },
  images: { side: 2, count: 2, index: null },
  report: {
    counts: { items: 3 },
    findings: [{ what: 'odd', count: 1, examples: ['b'] }],
    understood: [],
    candidateSampling: 'exposed by the shop',
    candidates: [
      {
        split: 'train' as const,
        clicked: { exposures: 1, coldShare: value(0.5) },
        unclicked: { exposures: 0, coldShare: gap('There is no such candidate.') },
        popularityAuc: gap('every row is clicked'),
      },
    ],
  },
};

async function written(changed: InMemory = dataset): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(
    join(folder, 'images.bin'),
    Uint8Array.from({ length: 24 }, (_, index) => index),
  );
  await writeDataset(folder, unsaved(changed), made);
  return folder;
}

describe('the dataset folder', () => {
  it('gives back what was written', async () => {
    const { images, hash, ...rest } = await loadDataset(await written());
    const { images: _, ...expected } = dataset;
    const clicks = { user: Int32Array.of(1), item: Int32Array.of(0), time: Float64Array.of(1.7e12 + 0.5) };
    expect(comparable(rest)).toEqual(comparable({ ...expected, clicks }));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect([...images.read([1])]).toEqual(Array.from({ length: 12 }, (_, index) => 12 + index));
    images.close();
  });

  it('knows clicks at their own time where exposures were logged, not at that of their page views', async () => {
    const { exposures, ...rest } = unsaved(dataset);
    const time = Float64Array.of(1.7e12 + 0.5, 1.7e12 + 0.5, 1.8e12);
    const logged = {
      row: Float64Array.of(1, 2, 3),
      time,
      clickedAt: Float64Array.of(1.9e12, time[1]!, 1.85e12),
    };
    const folder = await written();
    const both = { ...exposures, clicked: Uint8Array.of(1, 0, 1), logged };
    await writeDataset(folder, { ...rest, exposures: both }, made);
    const loaded = await loadDataset(folder);
    closeDataset(loaded);
    expect(loaded.clicks).toEqual({
      user: Int32Array.of(0, 1),
      item: Int32Array.of(2, 0),
      time: Float64Array.of(1.85e12, 1.9e12),
    });
  });

  it('tells of a part that cannot be written, also while the next one is counted', async () => {
    const rows = 270_000;
    const day = 86_400_000;
    const source = unsaved({
      ...dataset,
      pageViews: {
        ...dataset.pageViews,
        time: Float64Array.of(1.7e12, 1.7e12 + day),
        split: Uint8Array.of(0, 0),
        start: Int32Array.of(0, rows, rows + 1),
      },
      exposures: {
        item: new Int32Array(rows + 1),
        clicked: new Uint8Array(rows + 1),
        numeric: numericRows(['price'], new Float32Array(rows + 1)),
        context: [],
      },
    });
    const folder = await temporaryFolder();
    await mkdir(join(folder, partFiles(0).exposures));
    const numeric = {
      ...source.numeric,
      async *columnsOf(...asked: Parameters<typeof source.numeric.columnsOf>) {
        for await (const columns of source.numeric.columnsOf(...asked)) {
          yield columns;
          // So long that the one before has failed.
          await setTimeout(1500);
        }
      },
    };
    await expect(writeDataset(folder, { ...source, numeric }, made)).rejects.toMatchObject({
      code: 'OUTPUT_NOT_WRITABLE',
    });
  });

  it('has the same hash for the same data, and another for other data', async () => {
    const hashOf = async (changed: InMemory): Promise<string> => {
      const { hash, images } = await loadDataset(await written(changed));
      images.close();
      return hash;
    };
    const first = await hashOf(dataset);
    expect(await hashOf(dataset)).toBe(first);
    const clicked = Uint8Array.of(1, 0, 1);
    expect(await hashOf({ ...dataset, exposures: { ...dataset.exposures, clicked } })).not.toBe(first);
    expect(await hashOf({ ...dataset, name: 'another' })).not.toBe(first);
  });

  it.each([
    'items.parquet',
    'users.parquet',
    'page_views-00000.parquet',
    'exposures-00000.parquet',
    'dataset.json',
  ])('is refused when a byte of %s has changed', async (name) => {
    const folder = await written();
    const bytes = await readFile(join(folder, name));
    const place = name === 'dataset.json' ? bytes.indexOf('three items') : bytes.length >> 1;
    bytes[place]! ^= 1;
    await writeFile(join(folder, name), bytes);
    await expect(loadDataset(folder)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  it('is refused when images.bin is short', async () => {
    const folder = await written();
    await truncate(join(folder, 'images.bin'), 23);
    await expect(loadDataset(folder)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  it('is refused when it is none, or lacks a file', async () => {
    const other = await temporaryFolder();
    await expect(loadDataset(other)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await mkdir(join(other, 'sub'));
    await copyFile(join(await written(), 'dataset.json'), join(other, 'sub', 'dataset.json'));
    await expect(loadDataset(join(other, 'sub'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await writeFile(join(other, 'dataset.json'), '{"format":"something else"}');
    await expect(loadDataset(other)).rejects.toMatchObject({ code: 'DATASET_INVALID' });
  });

  it('fills missing numbers with the mean of the training split, and is refused with ones that are not finite', async () => {
    const withNumbers = (...values: number[]) => {
      const numeric = numericRows(['price', 'Item'], Float32Array.from(values));
      return written({ ...dataset, exposures: { ...dataset.exposures, numeric } });
    };
    const folder = await withNumbers(Number.NaN, 2, 3, 4, 5, 6);
    for (const inMemory of [1000, 0]) {
      const loaded = await loadDataset(folder, inMemory);
      expect(loaded.exposures.numeric.names).toEqual(['price', 'price_missing', 'Item']);
      expect([...numbersOf(loaded.exposures)]).toEqual([3, 1, 2, 3, 0, 4, 5, 0, 6]);
      closeDataset(loaded);
    }
    const infinite = await withNumbers(Number.POSITIVE_INFINITY, 2, 3, 4, 5, 6);
    await expect(loadDataset(infinite)).rejects.toMatchObject({ code: 'DATASET_INVALID' });
  });

  const { catalogue, pageViews, exposures } = dataset;
  it.each<[string, Partial<InMemory>]>([
    ['a photo outside the cache', { catalogue: { ...catalogue, photo: Int32Array.of(0, 1, 2) } }],
    ['an item id twice', { catalogue: { ...catalogue, ids: ['a', 'b', 'a'] } }],
    ['a user that does not exist', { pageViews: { ...pageViews, user: Int32Array.of(0, 2) } }],
    ['times that descend', { pageViews: { ...pageViews, time: Float64Array.of(2, 1) } }],
    ['a time that is not a number', { pageViews: { ...pageViews, time: Float64Array.of(1, Number.NaN) } }],
    ['a page view without exposures', { pageViews: { ...pageViews, start: Int32Array.of(0, 0, 3) } }],
    ['a split that its time is not of', { pageViews: { ...pageViews, split: Uint8Array.of(0, 1) } }],
    [
      'a history item that does not exist',
      { pageViews: { ...pageViews, history: Int32Array.of(3, -1, 0, -1) } },
    ],
    ['an exposed item that does not exist', { exposures: { ...exposures, item: Int32Array.of(0, 1, -1) } }],
    ['a label other than 0 and 1', { exposures: { ...exposures, clicked: Uint8Array.of(0, 1, 2) } }],
  ])('is never written with %s', async (_, part) => {
    await expect(written({ ...dataset, ...part })).rejects.toMatchObject({ code: 'DATASET_INVALID' });
  });
});
