import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timesBelow } from '../../../test/support/file-times.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import { loadDataset } from '../../data/store.ts';
import { featureNames } from '../../features/index.ts';
import { rawExposures } from '../../rankers/exposure.ts';
import { loadRanker } from '../../rankers/load.ts';
import { exists } from '../../storage/files.ts';
import { readSafeTensors, writeSafeTensors } from '../../storage/safetensors.ts';

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
    const small = ['ranker.epochs=1', 'diagnosis=false', 'starts=["warm"]', 'codes.clusters=[4]'];
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
    expect(ranker.about.dataset.hash).toBe(data.hash);
    expect(Date.parse(ranker.about.learnedUntil ?? '')).toBe(Math.floor(data.splitTimes.testFrom));
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

  it('exports the weights that lie in the run folder, and trains nothing', async () => {
    const weights = at('run', 'rankers', 'embeddings-sim-score+cluster-id-warm-seed-1.weights.safetensors');
    const { metadata, tensors } = await readSafeTensors(weights, 'Weights');
    const { shape, data } = tensors.get('weights/vectors/parameters')!;
    const zeros = new Map(tensors).set('weights/vectors/parameters', {
      shape,
      data: new Float32Array(data.length),
    });
    await writeSafeTensors(weights, { metadata, tensors: zeros });
    const before = await timesBelow(at('run', 'rankers'));
    expect((await rank('--export', 'sim-score+cluster-id')).exitCode).toBe(0);
    expect(await timesBelow(at('run', 'rankers'))).toEqual(before);
    const ranker = await loadRanker(at('run', 'export'));
    const log = await loadDataset(dataset);
    log.images.close();
    const width = ranker.about.visual.groups.flat().length;
    const [exposure] = rawExposures(log, null, Int32Array.of(0));
    const scores = await ranker.score([{ ...exposure!, visual: Array<number>(width).fill(0) }]);
    expect([...scores]).toEqual([0.5]);
    await ranker.release();
  });

  it('keeps no weights that nobody asked for, and trains for an export that is asked for later its row alone', async () => {
    const words = ['--out', at('later')];
    expect((await rank(...words)).exitCode).toBe(0);
    const before = await timesBelow(at('later', 'rankers'));
    expect(Object.keys(before).filter((name) => name.includes('weights'))).toEqual([]);
    expect((await rank('--export', 'none', ...words)).exitCode).toBe(0);
    const { 'none-warm-seed-1.weights.safetensors': added, ...rest } = await timesBelow(
      at('later', 'rankers'),
    );
    expect(added).toBeDefined();
    expect(rest).toEqual(before);
  });

  it('does so for every way of feeding images together, residual codes and nearness in attention too', async () => {
    const all = featureNames.join('+');
    const words = ['--features', all, '--export', all, '--out', at('all')];
    const ran = await rank(...words, '--set', 'codes.semanticLevels=2', '--set', 'codes.semanticCodes=4');
    expect(ran.exitCode).toBe(0);
    expect(ran.json).toHaveProperty('export.largestDifference', expect.closeTo(0, 5));
    const ranker = await loadRanker(at('all', 'export'));
    expect(ranker.about.layout.codes).toEqual(['cluster_4', 'semantic_1', 'semantic_2']);
    expect(ranker.about.visual).toMatchObject({ features: all, nearness: true });
    await ranker.release();
  });

  it('refuses nearness to a ranker without attention before any work', async () => {
    const ran = await rank(
      '--features',
      'attention-cosine',
      '--set',
      'ranker.ranker=mlp',
      '--out',
      at('mlp'),
    );
    expect([ran.exitCode, ran.json]).toMatchObject([1, { error: { code: 'CONFIG_INVALID' } }]);
    expect(ran.stderr).toContain('does not weigh the places');
    expect(await exists(at('mlp'))).toBe(false);
  });

  it('refuses features that are not trained before any work', async () => {
    const ran = await rank('--export', 'vector', '--out', at('other'));
    expect([ran.exitCode, ran.json]).toMatchObject([1, { ok: false, error: { code: 'CONFIG_INVALID' } }]);
    expect(ran.stderr).toContain('sim-score+cluster-id');
    expect(await exists(at('other'))).toBe(false);
  });
});
