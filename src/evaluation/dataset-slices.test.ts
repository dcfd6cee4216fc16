import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset } from '../../test/support/tiny-dataset.ts';
import { noNumbers, numericRows, withoutColumns } from '../data/counters/numeric-rows.ts';
import { loadDataset } from '../data/store.ts';
import { datasetSlices, type SlicedDataset } from './dataset-slices.ts';

/** Two items, four exposures: (clicks on the item before, cold, clicks of the user before, whether seen before). */
const dataset: SlicedDataset = {
  name: 'tiny',
  catalogue: { categories: [{ name: 'kind', values: ['unknown', 'x', 'y'], codes: Int32Array.of(1, 2) }] },
  exposures: {
    item: Int32Array.of(0, 1, 1, 0),
    numeric: numericRows(
      ['item_clicks_log', 'cold', 'user_clicks_log', 'seen_before'],
      Float32Array.of(0, 1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 3, 0, 4, 0),
    ),
    context: [{ name: 'device', values: ['unknown', 'phone'], codes: Int32Array.of(0, 0, 1, 0) }],
  },
};

describe('datasetSlices', () => {
  it('names positions among the test rows, not rows of the dataset', () => {
    const slices = datasetSlices(dataset, Int32Array.of(3, 2, 0), { categories: ['kind', 'device'] });
    expect(slices.map(({ family, name, rows }) => [`${family}: ${name}`, Array.from(rows)])).toEqual([
      ['item history: cold', [2]],
      ['item history: warm', [0, 1]],
      ['user history: new', [1, 2]],
      ['user history: returning', [0]],
      ['user and item: seen before', [1]],
      ['user and item: not seen before', [0, 2]],
      ['popularity decile: 1–4', [2]],
      ['popularity decile: 5–8', [1]],
      ['popularity decile: 9–10', [0]],
      ['category kind: x', [0, 2]],
      ['category kind: y', [1]],
      ['category device: unknown', [0, 2]],
      ['category device: phone', [1]],
    ]);
  });

  it('finds its columns in a dataset that ingestion wrote', async () => {
    const folder = await temporaryFolder();
    const ingested = await loadDataset(await tinyDataset(folder));
    const categories = ingested.catalogue.categories.map(({ name }) => name);
    const rows = Int32Array.from(ingested.exposures.item.keys());
    const slices = datasetSlices(ingested, rows, { categories });
    const families = new Set(slices.map(({ family }) => family));
    expect(families.size).toBe(4 + categories.length);
    for (const family of families) {
      const own = slices.filter((slice) => slice.family === family);
      expect(own.reduce((sum, slice) => sum + slice.rows.length, 0)).toBe(rows.length);
    }
    await rm(folder, { recursive: true });
  });

  it('refuses columns and rows that the dataset lacks', () => {
    const rows = Int32Array.of(0);
    const missing = expect.objectContaining({ code: 'COLUMN_MISSING' });
    expect(() => datasetSlices(dataset, rows, { categories: ['colour'] })).toThrow(
      'Dataset tiny has no category column colour; it has kind, device.',
    );
    const exposures = {
      ...dataset.exposures,
      numeric: withoutColumns(dataset.exposures.numeric, (name) => name === 'item_clicks_log'),
    };
    expect(() => datasetSlices({ ...dataset, exposures }, rows)).toThrow(missing);
    const bare = { ...dataset.exposures, numeric: noNumbers };
    expect(datasetSlices({ ...dataset, exposures: bare }, rows)).toEqual([]);
    expect(() => datasetSlices(dataset, Int32Array.of(4))).toThrow('Row 4 is not in dataset tiny');
    expect(() => datasetSlices(dataset, Int32Array.of(-1))).toThrow('Row -1 is not in dataset tiny');
  });
});
