import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artefactsOf, leftoversOf } from '../../../test/support/artefacts.ts';
import { expectForOldRuntimes } from '../../../test/support/old-runtime.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { tinyDataset, tinyPretraining } from '../../../test/support/tiny-dataset.ts';
import { loadDataset } from '../../data/store.ts';
import { embedAll } from '../../encoders/embed-rows.ts';
import { ExportedEncoder } from '../../encoders/load.ts';
import { attentionFile } from '../../objectives/courier-lesson.ts';
import type { ProgressEvent } from '../../progress.ts';
import { Engine } from '../../runtime/engine.ts';
import { exists } from '../../storage/files.ts';
import { readSafeTensors } from '../../storage/safetensors.ts';
import { checkpointFile, metricsFile } from '../../training/run-start.ts';
import { encoderFile } from '../../training/written-encoder.ts';
import { pretrain } from './index.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));

/** Lines of a metrics log, 0 while there is none. */
async function stepsIn(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}

describe('pretrain', () => {
  let folder: string;
  let dataset: string;
  /** A run that nothing disturbed. */
  let whole: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    whole = join(folder, 'whole');
    await pretrain({ ...tinyPretraining, dataset, out: whole });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Embeddings of the catalogue by the encoder that a run exported. */
  async function embeddingsOf(folder: string): Promise<Float32Array> {
    const loaded = await loadDataset(dataset);
    const engine = Engine.start({ threads: 1 });
    try {
      const encoder = await ExportedEncoder.open(join(folder, encoderFile), 16, engine);
      return await embedAll(encoder, loaded.images);
    } finally {
      loaded.images.close();
      await engine.close();
    }
  }

  const largestDifference = (a: Float32Array, b: Float32Array) =>
    Math.max(...a.map((value, index) => Math.abs(value - b[index]!)));

  it('lowers its loss', async () => {
    const out = await temporaryFolder();
    const longer = { ...tinyPretraining, steps: 40, learningRate: 5e-3, patience: null };
    await pretrain({ ...longer, dataset, out });
    const losses = (await readFile(join(out, metricsFile), 'utf8'))
      .trim()
      .split('\n')
      .map((line): number => JSON.parse(line).loss);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(losses.length).toBe(40);
    expect(mean(losses.slice(-8))).toBeLessThan(mean(losses.slice(0, 8)) - 0.2);
  });

  it('gives the same checkpoint and encoder for the same seed, and others for another', async () => {
    const [again, other] = [await temporaryFolder(), await temporaryFolder()];
    await pretrain({ ...tinyPretraining, dataset, out: again });
    await pretrain({ ...tinyPretraining, dataset, out: other, seed: 2 });
    for (const file of [checkpointFile, encoderFile, attentionFile]) {
      const bytes = await readFile(join(whole, file));
      expect(bytes.equals(await readFile(join(again, file)))).toBe(true);
      expect(bytes.equals(await readFile(join(other, file)))).toBe(false);
    }
  });

  it('writes encoder and attention as models that ONNX Runtime 1.17 loads', async () => {
    for (const file of [encoderFile, attentionFile]) expectForOldRuntimes(await readFile(join(whole, file)));
  });

  it('killed at any moment and run again, ends with the bytes of an undisturbed run', async () => {
    const out = await temporaryFolder();
    const config = join(out, 'config.json');
    const run = join(out, 'run');
    await writeFile(config, JSON.stringify({ ...tinyPretraining, dataset, out: run }));
    const start = () =>
      spawn(process.execPath, ['--import', 'tsx', bin, 'pretrain', '--config', config], { stdio: 'ignore' });
    // Killed before the first checkpoint, between two, and while the last files are being written.
    for (const steps of [1, 8, tinyPretraining.steps]) {
      const child = start();
      const ended = once(child, 'exit');
      while (child.exitCode === null && (await stepsIn(join(run, metricsFile))) < steps) await sleep(5);
      await sleep(20 * Math.random());
      child.kill('SIGKILL');
      await ended;
    }
    expect(await once(start(), 'exit')).toEqual([0, null]);
    expect(await artefactsOf(run)).toEqual(await artefactsOf(whole));
    expect(await leftoversOf(run)).toEqual([]);
  });

  it('stopped by Ctrl-C, saves the step under way and resumes to the same bytes, however often it then saves', async () => {
    const out = await temporaryFolder();
    const stop = new AbortController();
    const stopLater = (event: { kind: string; done?: number }) => {
      if (event.kind === 'advance' && event.done === 5) stop.abort();
    };
    await expect(
      pretrain({ ...tinyPretraining, dataset, out }, { progress: stopLater, signal: stop.signal }),
    ).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: expect.stringContaining('step 6'),
    });
    await pretrain({ ...tinyPretraining, dataset, out, checkpointEvery: 5 });
    expect(
      (await readFile(join(out, checkpointFile))).equals(await readFile(join(whole, checkpointFile))),
    ).toBe(true);
  });

  it('refuses a checkpoint cut in half, and says what to do', async () => {
    const out = await temporaryFolder();
    await pretrain({ ...tinyPretraining, dataset, out });
    const bytes = await readFile(join(out, checkpointFile));
    await writeFile(join(out, checkpointFile), bytes.subarray(0, bytes.length / 2));
    await expect(pretrain({ ...tinyPretraining, dataset, out })).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining(checkpointFile),
      remedy: expect.stringContaining('delete'),
    });
  });

  it('does not touch the run folder of another configuration', async () => {
    const before = await readFile(join(whole, checkpointFile));
    await expect(pretrain({ ...tinyPretraining, dataset, out: whole, steps: 13 })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
      message: `${whole} holds a run with other settings: steps.`,
    });
    expect((await readFile(join(whole, checkpointFile))).equals(before)).toBe(true);
  });

  it('starts from the weights of another run, and says which', async () => {
    const [out, second] = [await temporaryFolder(), await temporaryFolder()];
    const notes: string[] = [];
    const listen = (event: ProgressEvent) => event.kind === 'note' && notes.push(event.text);
    const init = join(whole, checkpointFile);
    const small = { ...tinyPretraining, dataset, steps: 1, learningRate: 1e-12 };
    await pretrain({ ...small, out, init, seed: 9 }, { progress: listen });
    await pretrain({ ...small, out: second, seed: 9 });
    expect(notes[0]).toContain(checkpointFile);
    const [origin, started, fresh] = [
      await embeddingsOf(whole),
      await embeddingsOf(out),
      await embeddingsOf(second),
    ];
    expect(largestDifference(origin, started)).toBeLessThan(1e-4);
    expect(largestDifference(origin, fresh)).toBeGreaterThan(1e-2);
  });

  it('ends early where the validation score stands still, and has nothing to do when run again', async () => {
    const out = await temporaryFolder();
    const still = { learningRate: 1e-12, validateEvery: 1, patience: 2, steps: 12 };
    const settings = { ...tinyPretraining, ...still, dataset, out };
    const first = await pretrain(settings);
    expect(first.steps).toBe(first.bestStep + 2);
    expect(first.steps).toBeLessThan(12);
    const files = [checkpointFile, encoderFile, metricsFile].map((file) => join(out, file));
    const before = await Promise.all(files.map((file) => readFile(file)));
    expect(await pretrain(settings)).toEqual(first);
    const after = await Promise.all(files.map((file) => readFile(file)));
    for (const [index, bytes] of after.entries()) expect(bytes.equals(before[index]!)).toBe(true);
  });

  it('stops when the loss is no number, and saves the batch that it happened on', async () => {
    const out = await temporaryFolder();
    const wild = { learningRate: 1e30, clipNorm: null, warmup: 0 };
    const failure = pretrain({ ...tinyPretraining, ...wild, dataset, out });
    await expect(failure).rejects.toMatchObject({ code: 'TRAINING_DIVERGED' });
    const [saved] = (await readdir(out)).filter((file) => file.startsWith('diverged-step-'));
    const { tensors } = await readSafeTensors(join(out, saved!), 'Batch');
    expect([...tensors.keys()]).toContain('clicked');
    expect(tensors.get('photos')!.data.length).toBeGreaterThan(1);
  });

  it('validates and exports the average of the parameters where one is kept', async () => {
    const out = await temporaryFolder();
    // An average that keeps everything stays where it began, whatever is learned.
    const settings = { ...tinyPretraining, dataset, out, steps: 4, averageDecay: 0.99999 };
    await pretrain({ ...settings, learningRate: 0.05 });
    const other = await temporaryFolder();
    await pretrain({ ...settings, out: other, learningRate: 1e-12 });
    const [moved, unmoved] = [await embeddingsOf(out), await embeddingsOf(other)];
    expect(largestDifference(moved, unmoved)).toBeLessThan(1e-3);
    expect(largestDifference(moved, await embeddingsOf(whole))).toBeGreaterThan(1e-2);
  });

  it('alters photos only where it is asked to, and comes to another encoder then', async () => {
    const out = await temporaryFolder();
    await pretrain({ ...tinyPretraining, dataset, out, augmentation: {} });
    expect(largestDifference(await embeddingsOf(out), await embeddingsOf(whole))).toBeGreaterThan(1e-3);
  });

  it('says how much memory is too little', async () => {
    const out = await temporaryFolder();
    await expect(pretrain({ ...tinyPretraining, dataset, out, memory: '1MiB' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('1 MiB'),
      remedy: expect.stringContaining('--memory'),
    });
  });

  it('refuses sizes that do not fit each other by naming them', async () => {
    const out = await temporaryFolder();
    const settings = { ...tinyPretraining, dataset, out, encoder: { ...tinyPretraining.encoder, patch: 7 } };
    await expect(pretrain(settings)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('encoder.patch 7'),
    });
  });

  it('trains a swin encoder as it trains a vit', async () => {
    const out = await temporaryFolder();
    const sizes = { patch: 4, width: 8, depths: [2], heads: [2], window: 2, dimension: 16 };
    const encoder = { name: 'swin' as const, ...sizes };
    const result = await pretrain({ ...tinyPretraining, encoder, dataset, out, steps: 4 });
    expect(result.bestStep).toBe(4);
    expect(await exists(result.encoder)).toBe(true);
  });

  it('exports an encoder that gives unit vectors, the same for a photo in whatever batch', async () => {
    const loaded = await loadDataset(dataset);
    const engine = Engine.start({ threads: 1 });
    try {
      const encoder = await ExportedEncoder.open(join(whole, encoderFile), 16, engine);
      const all = await embedAll(encoder, loaded.images);
      const one = { side: 16, count: 1, read: () => loaded.images.read([3]) };
      const alone = await embedAll(encoder, one);
      const stopped = embedAll(encoder, loaded.images, { signal: AbortSignal.abort() });
      await expect(stopped).rejects.toThrow('abort');
      expect(all.length).toBe(loaded.images.count * 16);
      for (let photo = 0; photo < loaded.images.count; photo++) {
        const length = Math.hypot(...all.subarray(photo * 16, (photo + 1) * 16));
        expect(length).toBeCloseTo(1, 4);
      }
      for (const [index, value] of alone.entries()) expect(value).toBeCloseTo(all[3 * 16 + index]!, 5);
    } finally {
      loaded.images.close();
      await engine.close();
    }
  });
});
