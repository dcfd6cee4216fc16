import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import { writeEmbeddings } from '../../data/embeddings.ts';

describe('embeddings of others in a comparison', () => {
  it('are rows beside those of sources, with the coverage that they have, and part of what the run is', async () => {
    const folder = await temporaryFolder();
    const dataset = await tinyDataset(folder);
    const theirs = join(folder, 'theirs.parquet');
    await writeRandomEmbeddings(dataset, theirs);
    const settings = { seeds: [1], starts: ['warm'], choices: [{}], diagnosis: false, examples: 0 };
    const config = join(folder, 'config.json');
    await writeFile(config, JSON.stringify(settings));
    const run = (sources: string, embeddings: string) =>
      courier(
        ...['compare', '--json', '--config', config, '--dataset', dataset, '--out', join(folder, 'run')],
        ...['--set', `sources=${sources}`, '--embeddings', embeddings],
      );
    const ran = await run('["hog"]', `house=${theirs},${theirs}`);
    expect(ran.stderr).not.toMatch(/Error/);
    const rows = (ran.json as { rows: { source: string | null; features: string }[] }).rows;
    expect(rows.map(({ source, features }) => source ?? features)).toEqual([
      'without-learning',
      'none',
      'hog',
      'house',
      'theirs',
    ]);
    // Other vectors under the same name are another run.
    await writeRandomEmbeddings(dataset, join(folder, 'others.parquet'), 2);
    const other = await run('["hog"]', `house=${join(folder, 'others.parquet')},${theirs}`);
    expect(other.stderr).toContain('OUTPUT_EXISTS');
  });

  it('of which no item of the dataset is one, or none at all, are refused before anything is trained', async () => {
    const folder = await temporaryFolder();
    const dataset = await tinyDataset(folder);
    const stranger = join(folder, 'stranger.parquet');
    await writeEmbeddings(stranger, { ids: ['sku-1'], dimension: 2, vectors: Float32Array.of(1, 0) });
    const run = (...words: string[]) =>
      courier('compare', '--dataset', dataset, '--out', join(folder, 'run'), '--set', 'sources=[]', ...words);
    expect((await run('--embeddings', `house=${stranger}`)).stderr).toMatch(/such as sku-1/);
    expect((await run()).stderr).toContain('There is nothing to compare');
    expect((await run('--embeddings', `hog=${stranger}`)).stderr).toContain('is one of `sources`');
    expect((await run('--embeddings', '/no/such.parquet')).stderr).toContain('FILE_NOT_FOUND');
  });
});
