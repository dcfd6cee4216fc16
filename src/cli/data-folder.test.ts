import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { courier } from '../../test/support/terminal.ts';
import { writeTinyMl1m } from '../../test/support/tiny-ml1m.ts';
import { readRecipe } from '../data/recipes.ts';
import { loadDataset } from '../data/store.ts';
import type { ProgressEvent } from '../progress.ts';
import { datasetFolder } from './data-folder.ts';

describe('the data of a comparison', () => {
  it('in a known layout is ingested into the run folder, once', async () => {
    const { folder } = await writeTinyMl1m(await temporaryFolder());
    const out = await temporaryFolder();
    const recipe = await readRecipe('ml1m', folder);
    const dataset = await datasetFolder(folder, recipe, out, {});
    expect(dataset).toBe(join(out, 'dataset'));
    const { images, name } = await loadDataset(dataset);
    images.close();
    expect(name).toBe('ml1m');
    const events: ProgressEvent[] = [];
    expect(await datasetFolder(folder, recipe, out, { progress: (event) => events.push(event) })).toBe(
      dataset,
    );
    expect(events).toEqual([expect.objectContaining({ kind: 'note' })]);
    // A dataset folder stands for itself, whatever recipe it is said to have.
    expect(await datasetFolder(dataset, recipe, await temporaryFolder(), {})).toBe(dataset);
  });

  it('without a layout or a place for the dataset is refused, with what to add', async () => {
    const folder = await temporaryFolder();
    const words = ['compare', '--json', '--plan', '--data', folder];
    const unknown = await courier(...words, '--out', join(folder, 'run'));
    expect([unknown.exitCode, unknown.json]).toMatchObject([1, { error: { code: 'CONFIG_INVALID' } }]);
    expect(unknown.stderr).toContain('--recipe: amazon-reviews-2023,');
    const nowhere = await courier(...words, '--recipe', 'hm');
    expect([nowhere.exitCode, nowhere.json]).toMatchObject([1, { error: { code: 'CONFIG_INVALID' } }]);
    expect(nowhere.stderr).toContain('--out');
  });
});
