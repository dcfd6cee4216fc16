import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestDifference } from '../../test/support/onnx-graphs.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { openBackbone } from '../backbones/backbone.ts';
import { readEmbeddings } from '../data/embeddings/embeddings.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import { embedAll } from '../encoders/embed-rows.ts';
import { readEncoderFile } from '../encoders/file.ts';
import { ExportedEncoder } from '../encoders/load.ts';
import { decodeModel } from '../graph/onnx-schema.ts';
import { compare } from '../pipelines/compare/index.ts';
import { embed } from '../pipelines/embed/index.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';
import type { ProgressEvent } from '../progress.ts';
import { Engine } from '../runtime/engine.ts';
import { readSafeTensors } from '../storage/safetensors.ts';
import { checkpointFile } from './run-start.ts';
import { fineTunedFile } from './trained-network.ts';
import { encoderFile } from './written-encoder.ts';

const exported = fileURLToPath(new URL('../../test/fixtures/backbones/vit-opset13.onnx', import.meta.url));

describe('an encoder whose network is trained from its last block on', () => {
  let folder: string;
  let dataset: string;
  let file: string;
  const at = (...parts: string[]) => join(folder, ...parts);
  const settings = (lora: number | null = null) => ({
    ...tinyPretraining,
    encoder: {
      name: 'backbone',
      file,
      fineTune: { lora, learningRate: 1e-3 },
      components: 16,
      head: { name: 'both', hidden: 16 },
      dimension: 8,
    } as const,
    dataset,
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    file = at('network.onnx');
    await copyFile(exported, file);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function embeddingsBy(encoder: string): Promise<Float32Array> {
    const loaded = await loadDataset(dataset);
    const engine = Engine.start({ threads: 1 });
    try {
      return await embedAll(await ExportedEncoder.open(encoder, 16, engine), loaded.images);
    } finally {
      closeDataset(loaded);
      await engine.close();
    }
  }

  async function weightsIn(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const { graph } = decodeModel(await readFile(path));
    return new Map(graph.initializer.map(({ name, rawData }) => [name, rawData ?? new Uint8Array()]));
  }

  it.each([null, 2])(
    'is written as one encoder, and the network as a file of its own in which its last block alone is another (rank %s)',
    async (lora) => {
      const out = at(`run-${lora}`);
      const notes: ProgressEvent[] = [];
      const { encoder } = await pretrain(
        { ...settings(lora), out },
        { progress: (event) => notes.push(event) },
      );
      expect(await readEncoderFile(encoder)).toMatchObject({ side: 16, dimension: 8 });
      expect(JSON.stringify(notes)).toContain('is trained (setting `fineTune.from`)');
      const [before, after] = [await weightsIn(file), await weightsIn(join(out, fineTunedFile))];
      const changed = [...before].filter(([name, data]) => Buffer.compare(data, after.get(name)!) !== 0);
      const names = changed.map(([name]) => name);
      expect(names.length).toBeGreaterThan(5);
      expect(names.some((name) => name.includes('blocks.0') || name.startsWith('patches'))).toBe(false);
      expect(names.includes('norm.weight')).toBe(lora === null);
      // It is a model again that can be opened, embedded with, and trained on top of.
      expect((await openBackbone({ file: join(out, fineTunedFile) }, 16)).width).toBe(24);
      await embed({ dataset, encoder, out: at(`embeddings-${lora}.parquet`) });
      expect((await readEmbeddings(at(`embeddings-${lora}.parquet`))).dimension).toBe(8);
      const card = await readFile(join(out, 'model-card.md'), 'utf8');
      expect(card).toMatch(lora === null ? /all weights of the last 1/ : /changes of rank 2/);
      expect(card).toContain(fineTunedFile);
    },
  );

  it('goes on after a stop as if there had been none, with the trained block in its checkpoint', async () => {
    const out = at('stopped');
    const stop = new AbortController();
    const stopping = pretrain(
      { ...settings(), out },
      {
        signal: stop.signal,
        progress: (event) => {
          if (event.kind === 'advance' && event.stage === 'Pre-train' && event.done === 2) stop.abort();
        },
      },
    );
    await expect(stopping).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const { tensors } = await readSafeTensors(join(out, checkpointFile), 'Checkpoint');
    expect([...tensors.keys()]).toContain('parameters/encoder.tail[blocks.1.up.bias]');
    await pretrain({ ...settings(), out });
    for (const name of [encoderFile, fineTunedFile]) {
      const [one, other] = [await readFile(join(out, name)), await readFile(join(at('run-null'), name))];
      expect(Buffer.compare(one, other), name).toBe(0);
    }
  });

  it('is another run with another cut', async () => {
    const { encoder, ...rest } = settings();
    const other = { ...encoder, fineTune: { ...encoder.fineTune, from: 2 } };
    await expect(pretrain({ ...rest, encoder: other, out: at('run-null') })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
  });

  it('computes what comes before the cut once, and keeps it', async () => {
    const kept = await readdir(`${dataset}.features`);
    const lengths = await Promise.all(
      kept.map(async (name) => (await readFile(join(`${dataset}.features`, name, 'features.f16'))).length),
    );
    const sizes = lengths.sort((a, b) => a - b);
    const photos = (await embeddingsBy(join(at('run-null'), encoderFile))).length / 8;
    // The class token for whitening, and 17 tokens of 24 numbers at each of two cuts.
    expect(sizes.map((size) => size / sizes[0]!)).toEqual([1, 17, 17]);
    expect(sizes[0]! % (24 * 2)).toBe(0);
    expect(sizes[0]! / (24 * 2)).toBeLessThanOrEqual(photos);
  });

  it('gives in a comparison what the exported encoder gives, beside other networks and outlines too', async () => {
    const out = at('compared');
    const { dataset: _, ...training } = settings(2);
    const { report } = await compare({
      dataset,
      out,
      sources: ['courier', 'backbone', 'random'],
      seeds: [1],
      starts: ['scratch'],
      choices: [{}],
      diagnosis: false,
      examples: 0,
      ranker: { epochs: 1 },
      pretrain: { ...training, encoder: { ...training.encoder, beside: [{ file }], outlines: 4 } },
    });
    expect(report.failures).toEqual([]);
    const by = join(out, 'courier', 'seed-1');
    const { ids, vectors } = await readEmbeddings(join(by, 'embeddings.parquet'));
    const whole = await embeddingsBy(join(by, encoderFile));
    const { catalogue, ...rest } = await loadDataset(dataset);
    closeDataset(rest);
    for (const [place, id] of ids.entries()) {
      const photo = catalogue.photo[catalogue.ids.indexOf(id)]!;
      const [one, other] = [
        vectors.subarray(place * 8, place * 8 + 8),
        whole.subarray(photo * 8, photo * 8 + 8),
      ];
      expect(largestDifference(one, other)).toBeLessThan(0.01);
    }
  });
});
