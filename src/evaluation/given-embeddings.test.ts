import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { courier } from '../../test/support/terminal.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../test/support/tiny-dataset.ts';
import { literal, withDuckDB } from '../data/duckdb/duckdb.ts';
import { writeEmbeddings } from '../data/embeddings/embeddings.ts';
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

  it('whose columns are not plain are taken by every command where they are named behind the file', async () => {
    const folder = await temporaryFolder();
    const dataset = await tinyDataset(folder);
    const own = join(folder, 'own.parquet');
    await writeRandomEmbeddings(dataset, own);
    const theirs = join(folder, 'theirs.parquet');
    await withDuckDB([folder], (connection) =>
      connection.run(
        `COPY (SELECT item_id AS code, 'x' AS shop, embedding AS a, embedding AS b FROM ${literal(own)}) TO ${literal(theirs)} (FORMAT parquet)`,
      ),
    );
    for (const words of [
      ['rank', '--dataset', dataset, '--set', 'features=["sim-score"]'],
      ['compare', '--dataset', dataset, '--set', 'sources=[]'],
      ['features', '--dataset', dataset],
      ['cluster', '--clusters', '4'],
    ]) {
      const out = join(folder, `${words[0]}.out`);
      const refused = await courier(...words, '--embeddings', theirs, '--out', out);
      expect([refused.exitCode, refused.stderr]).toEqual([
        1,
        expect.stringContaining('#id=COLUMN&vector=COLUMN'),
      ]);
      const short = ['choices=[{}]', 'starts=["warm"]', 'seeds=[1]', 'diagnosis=false', 'ranker.epochs=1'];
      const isTable = words[0] === 'rank' || words[0] === 'compare';
      const settings = isTable ? short.flatMap((setting) => ['--set', setting]) : [];
      const ran = await courier(
        ...words,
        ...settings,
        '--embeddings',
        `${theirs}#id=code&vector=a`,
        '--out',
        out,
      );
      expect([words[0], ran.exitCode, ran.stderr]).toEqual([
        words[0],
        0,
        expect.not.stringContaining('Error'),
      ]);
    }
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
