import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { courier } from '../../test/support/terminal.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../test/support/tiny-dataset.ts';
import { writeEmbeddings } from '../data/embeddings.ts';
import { exists } from '../storage/files.ts';

describe('embeddings of others in a table', () => {
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

  it('are rows of rank, several files and sets of features side by side, of which the first is exported', async () => {
    const folder = await temporaryFolder();
    const dataset = await tinyDataset(folder);
    for (const name of ['one', 'two']) {
      await writeRandomEmbeddings(dataset, join(folder, `${name}.parquet`), name === 'one' ? 1 : 2);
    }
    const run = (out: string, embeddings: string) =>
      courier(
        ...['rank', '--json', '--dataset', dataset, '--out', join(folder, out), '--embeddings', embeddings],
        ...['--features', 'sim-score,vector', '--export', 'vector', '--set', 'choices=[{}]'],
        ...['--set', 'starts=["warm"]', '--set', 'diagnosis=false', '--set', 'ranker.epochs=1'],
      );
    const [one, two] = [join(folder, 'one.parquet'), join(folder, 'two.parquet')];
    const ran = await run('both', `courier=${one},clip=${two}`);
    expect(ran.exitCode).toBe(0);
    const { rows } = ran.json as { rows: { source: string | null; features: string }[] };
    expect(
      rows.map(({ source, features }) => (source === null ? features : `${source} ${features}`)),
    ).toEqual([
      ...['without-learning', 'none'],
      ...['courier sim-score', 'courier vector', 'clip sim-score', 'clip vector'],
    ]);
    expect(await exists(join(folder, 'both', 'export'))).toBe(true);
    const twice = await run('twice', `${one},${two}`);
    expect(twice.exitCode).not.toBe(0);
    expect(twice.stderr).toContain(`Two files would be called embeddings: ${one} and ${two}.`);
    expect(await exists(join(folder, 'twice'))).toBe(false);
  });
});
