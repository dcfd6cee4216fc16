import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { loadDataset } from '../data/store.ts';
import { pretrainConfig } from '../pipelines/pretrain/config.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';
import type { ProgressEvent } from '../progress.ts';
import { manifestFile } from '../runs/run-folder.ts';
import { Engine } from '../runtime/engine.ts';
import { embeddingSources, sourceFolder } from './embedding-sources.ts';
import { checkpointFile, metricsFile } from './run-start.ts';

describe('the first stage', () => {
  let folder: string;
  let path: string;
  let dataset: Dataset;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    path = await tinyDataset(folder);
    dataset = await loadDataset(path);
  });
  afterAll(async () => {
    dataset.images.close();
    await rm(folder, { recursive: true, force: true });
  });

  const settings = { ...tinyPretraining, steps: 4, firstStage: { steps: 3, batchSize: 8 } };

  it('is where training begins, and its cost is shown', async () => {
    const [out, again] = [await temporaryFolder(), await temporaryFolder()];
    const notes: string[] = [];
    const listen = (event: ProgressEvent) => event.kind === 'note' && notes.push(event.text);
    const result = await pretrain({ ...settings, dataset: path, out }, { progress: listen });
    expect(result.firstStage?.images).toBe(3 * 2 * 8);
    expect(notes.some((text) => text.includes(join('first-stage', checkpointFile)))).toBe(true);
    const [first] = (await readFile(join(out, metricsFile), 'utf8')).split('\n');
    expect(JSON.parse(first!)).toMatchObject({
      step: 1,
      firstStageImages: 48,
      firstStageSeconds: result.firstStage!.seconds,
    });

    const init = join(out, 'first-stage', checkpointFile);
    await pretrain({ ...settings, firstStage: null, init, dataset: path, out: again });
    const [one, other] = await Promise.all(
      [out, again].map(async (each) => (await readFile(join(each, checkpointFile))).toString('base64')),
    );
    expect(one === other).toBe(true);
  });

  it('is shared by what learns from clicks, and is left out where photos are learned from anyway', async () => {
    const out = await temporaryFolder();
    const engine = Engine.start({ threads: 1 });
    const embed = async (source: 'scl' | 'courier-mean-history' | 'simclr') => {
      const own = sourceFolder(out, source, 1);
      const pretraining = pretrainConfig.parse({ ...settings, seed: 1, dataset: path, out: own });
      const context = {
        dataset,
        folder: own,
        settings: pretraining,
        engine,
        room: null,
      };
      const { vectors } = await embeddingSources[source].embed(context, {});
      expect(vectors.length).toBe(dataset.images.count * tinyPretraining.encoder.dimension);
      return JSON.parse(await readFile(join(own, manifestFile), 'utf8')).config;
    };
    try {
      const [scl, mean, simclr] = [
        await embed('scl'),
        await embed('courier-mean-history'),
        await embed('simclr'),
      ];
      expect(scl.initHash).toMatch(/^[0-9a-f]{64}$/);
      expect(mean.initHash).toBe(scl.initHash);
      expect(mean.objective).toMatchObject({ name: 'courier', form: 'mean', heads: 2 });
      expect(simclr.initHash).toBe(null);
    } finally {
      await engine.close();
    }
  });
});

describe('collapse', () => {
  it('stops a run with a checkpoint, and lets it go on when asked to', async () => {
    const folder = await temporaryFolder();
    const path = await tinyDataset(folder);
    const out = join(folder, 'run');
    const settings = {
      ...tinyPretraining,
      objective: { heads: 2, contrast: false },
      steps: 60,
      validateEvery: 10,
      learningRate: 5e-3,
      patience: null,
      dataset: path,
      out,
    };
    // Run again, it does not go on unnoticed.
    for (const _ of ['stopped', 'stopped again']) {
      await expect(pretrain(settings)).rejects.toMatchObject({
        code: 'TRAINING_COLLAPSED',
        message: expect.stringContaining('effective rank'),
        remedy: expect.stringContaining('continue'),
      });
    }
    const stopped = (await readFile(join(out, metricsFile), 'utf8')).trim().split('\n').length;
    expect(stopped).toBeLessThan(60);
    const { steps } = await pretrain({ ...settings, collapse: 'continue' });
    expect(steps).toBe(60);
  });
});
