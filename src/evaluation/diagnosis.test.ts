import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { timesBelow } from '../../test/support/file-times.ts';
import { defined } from '../../test/support/measured.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../test/support/tiny-dataset.ts';
import { rank } from '../pipelines/rank/index.ts';
import { readSafeTensors, writeSafeTensors } from '../storage/safetensors.ts';

describe('the diagnosis', () => {
  let folder: string;
  let dataset: string;
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    await writeRandomEmbeddings(dataset, at('e.parquet'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function reportOf(out: string, starts: ('warm' | 'scratch')[], signal?: AbortSignal) {
    const settings = {
      dataset,
      out,
      embeddings: { embeddings: at('e.parquet') },
      features: ['sim-score'],
      starts,
    };
    const small = { ranker: { epochs: 1 }, parallel: 1 };
    return (await rank({ ...settings, ...small }, { signal })).report;
  }

  const diagnosisOf = async (...how: Parameters<typeof reportOf>) => (await reportOf(...how)).diagnosis;

  /** Says to stop as soon as a file is there. */
  function stopOnce(path: string): AbortSignal {
    const { signal } = new AbortController();
    return Object.defineProperty(signal, 'aborted', { get: () => existsSync(path) });
  }

  it('goes on where it was stopped, to what it comes to otherwise', async () => {
    const whole = await diagnosisOf(at('whole'), ['scratch']);
    expect(defined(whole?.withoutCategories).map(({ categories }) => categories)).toEqual([true, false]);
    const bare = at('stopped', 'rankers', 'without-categories');
    const stop = stopOnce(join(bare, 'base-seed-1.safetensors'));
    await expect(diagnosisOf(at('stopped'), ['scratch'], stop)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    const before = await timesBelow(at('stopped', 'rankers'));
    expect(Object.keys(before)).toContain('embeddings-sim-score-warm-seed-1.weights.safetensors');
    expect(await diagnosisOf(at('stopped'), ['scratch'])).toEqual(whole);
    expect(await timesBelow(at('stopped', 'rankers'))).toMatchObject(before);
    const left = await readdir(at('stopped', 'rankers'), { recursive: true });
    expect(left.filter((name) => name.includes('checkpoint') || name.includes('partial'))).toEqual([]);
  });

  it('looks into the rankers that lie in the run folder, and trains none of them again', async () => {
    const rankers = at('whole', 'rankers');
    const weights = join(rankers, 'embeddings-sim-score-warm-seed-1.weights.safetensors');
    const { metadata, tensors } = await readSafeTensors(weights, 'Weights');
    const { shape, data } = tensors.get('weights/vectors/parameters')!;
    const blind = { shape, data: new Float32Array(data.length) };
    const changed = new Map(tensors).set('weights/vectors/parameters', blind);
    await writeSafeTensors(weights, { metadata, tensors: changed });
    await rm(at('whole', 'diagnosis.json'));
    const before = await timesBelow(rankers);
    const diagnosis = await diagnosisOf(at('whole'), ['scratch']);
    const importance = defined(diagnosis?.importance);
    expect(importance.map(({ loss }) => loss)).toEqual(importance.map(() => 0));
    expect(importance.length).toBeGreaterThan(2);
    expect(await timesBelow(rankers)).toEqual(before);
  });

  it('loses no table where it fails', async () => {
    const weights = at('whole', 'rankers', 'embeddings-sim-score-warm-seed-1.weights.safetensors');
    await writeFile(weights, 'damaged');
    await rm(at('whole', 'diagnosis.json'));
    const report = await reportOf(at('whole'), ['scratch']);
    expect([report.rows.length, report.diagnosis]).toEqual([3, null]);
    expect(report.failures).toMatchObject([{ stage: 'diagnose', code: 'FILE_CORRUPT' }]);
  });
});
