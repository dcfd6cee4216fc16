import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import { loadDataset } from '../../data/store.ts';
import { rawExposures } from '../../rankers/exposure.ts';
import { loadRanker } from '../../rankers/load.ts';
import { exists } from '../../storage/files.ts';

describe('courier rank --export', () => {
  let folder: string;
  let dataset: string;
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    await writeRandomEmbeddings(dataset, at('e.parquet'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function rank(...words: string[]) {
    const small = [
      'ranker.epochs=1',
      'replicates=100',
      'diagnosis=false',
      'starts=["warm"]',
      'codes.clusters=[4]',
    ];
    return courier(
      ...['rank', '--json', '--dataset', dataset, '--out', at('run'), '--embeddings', at('e.parquet')],
      ...['--features', 'sim-score+cluster-id', ...small.flatMap((setting) => ['--set', setting]), ...words],
    );
  }

  it('leaves a folder that scores what the ranker scored, and says how nearly', async () => {
    const ran = await rank('--export', 'sim-score+cluster-id');
    expect([ran.exitCode, ran.json]).toMatchObject([
      0,
      { ok: true, export: { folder: at('run', 'export'), rows: expect.any(Number) } },
    ]);
    expect(ran.json).toHaveProperty('export.largestDifference', expect.closeTo(0, 5));
    const ranker = await loadRanker(at('run', 'export'));
    expect(ranker.about.visual.features).toBe('sim-score+cluster-id');
    const data = await loadDataset(dataset);
    data.images.close();
    const exposures = rawExposures(data, null, Int32Array.of(0, 1, 2));
    const width = ranker.about.visual.groups.flat().length;
    const blind = exposures.map((one) => ({ ...one, visual: Array<number>(width).fill(0) }));
    expect((await ranker.score(blind)).every((score) => score > 0 && score < 1)).toBe(true);
    await ranker.release();
  });

  it('exports another ranker of the same run, in place of the first', async () => {
    const ran = await rank('--export', 'none');
    expect([ran.exitCode, ran.json]).toMatchObject([
      0,
      { ok: true, export: { folder: at('run', 'export') } },
    ]);
    expect((await readdir(at('run', 'export'))).sort()).toEqual([
      'ids.parquet',
      'ranker.json',
      'ranker.onnx',
      'table.safetensors',
    ]);
    expect((await readdir(at('run'))).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('refuses features that are not trained before any work', async () => {
    const ran = await rank('--export', 'vector', '--out', at('other'));
    expect([ran.exitCode, ran.json]).toMatchObject([1, { ok: false, error: { code: 'CONFIG_INVALID' } }]);
    expect(ran.stderr).toContain('sim-score+cluster-id');
    expect(await exists(at('other'))).toBe(false);
  });
});
