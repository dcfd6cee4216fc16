import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelFile, node, value, weights } from '../../test/support/onnx-graphs.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { readEmbeddings } from '../data/embeddings/embeddings.ts';
import { learnedUntilIn } from '../data/embeddings/learned-until.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import { embedAll } from '../encoders/embed-rows.ts';
import { learnedUntilOf, readEncoderFile } from '../encoders/file.ts';
import { ExportedEncoder } from '../encoders/load.ts';
import { compare } from '../pipelines/compare/index.ts';
import { embed } from '../pipelines/embed/index.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';
import { Engine } from '../runtime/engine.ts';
import { encoderFile, headFile } from './written-encoder.ts';

/** A network of two convolutions that says more of a photo than its colour: a grid, and its mean. */
function network(seed = 1): Uint8Array {
  return modelFile({
    input: [value('image', ['n', 3, 'h', 'w'])],
    node: [
      node('Conv', ['image', 'first'], ['edges'], { strides: [4, 4], kernel_shape: [4, 4] }),
      node('Relu', ['edges'], ['bent']),
      node('Conv', ['bent', 'second'], ['map'], { kernel_shape: [1, 1] }),
      node('GlobalAveragePool', ['map'], ['mean']),
      node('Flatten', ['mean'], ['pooled']),
    ],
    initializer: [weights('first', [8, 3, 4, 4], seed), weights('second', [6, 8, 1, 1], seed)],
    output: [value('map', ['n', 6, 'y', 'x']), value('pooled', ['n', 6])],
  });
}

describe('an encoder with a pretrained network', () => {
  let folder: string;
  let dataset: string;
  let file: string;
  const at = (...parts: string[]) => join(folder, ...parts);
  const settings = () => ({
    ...tinyPretraining,
    encoder: {
      name: 'backbone',
      file,
      components: 24,
      head: { name: 'both', hidden: 16 },
      dimension: 8,
    } as const,
    dataset,
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    file = at('network.onnx');
    await writeFile(file, network());
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Of all photos of the dataset. */
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

  it('is exported as one file from bytes to unit vectors, which says until when it has learned', async () => {
    const out = at('run');
    const { encoder } = await pretrain({ ...settings(), out });
    expect(encoder).toBe(join(out, encoderFile));
    const read = await readEncoderFile(encoder);
    expect(read).toMatchObject({ side: 16, dimension: 8 });
    expect(learnedUntilOf(read)).toBeGreaterThan(Date.UTC(2000, 0));
    expect(learnedUntilIn(new Map())).toBeNull();
    const vectors = await embeddingsBy(encoder);
    for (let from = 0; from < vectors.length; from += 8)
      expect(Math.hypot(...vectors.subarray(from, from + 8))).toBeCloseTo(1, 4);
    expect(await readdir(out)).toContain(headFile);
    await embed({ dataset, encoder, out: at('embeddings.parquet') });
    expect((await readEmbeddings(at('embeddings.parquet'))).dimension).toBe(8);
  });

  it('computes the features of a photo once, and the same run again gives the same bytes', async () => {
    const [features] = await readdir(`${dataset}.features`);
    const path = join(`${dataset}.features`, features!, 'features.f16');
    const before = await stat(path);
    const [first, second] = [at('run'), at('again')];
    await pretrain({ ...settings(), out: second });
    expect((await stat(path)).mtimeMs).toBe(before.mtimeMs);
    const bytesOf = (out: string) => readFile(join(out, encoderFile));
    expect(Buffer.compare(await bytesOf(first), await bytesOf(second))).toBe(0);
  });

  it('is another encoder with another network of the same name', async () => {
    const out = at('run');
    await writeFile(file, network(2));
    await expect(pretrain({ ...settings(), out })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    await writeFile(file, network());
  });

  it('gives in a comparison what the exported encoder gives, but for what 16 bits round away, beside the network alone', async () => {
    const out = at('compared');
    const { name: _, ...own } = settings().encoder;
    const { dataset: __, ...training } = settings();
    const { report } = await compare({
      dataset,
      out,
      sources: ['courier', 'simclr', 'backbone', 'random'],
      seeds: [1],
      starts: ['scratch'],
      choices: [{}],
      diagnosis: false,
      examples: 0,
      ranker: { epochs: 1 },
      pretrain: { ...training, encoder: { name: 'backbone', ...own } },
    });
    expect(report.failures).toEqual([]);
    const names = report.rows.map(({ source }) => source).filter((source) => source !== null);
    expect(names).toEqual(['courier', 'simclr', 'backbone', 'random']);
    const by = join(out, 'courier', 'seed-1');
    const { ids, vectors } = await readEmbeddings(join(by, 'embeddings.parquet'));
    const exported = await embeddingsBy(join(by, encoderFile));
    const { catalogue, ...rest } = await loadDataset(dataset);
    closeDataset(rest);
    for (const [place, id] of ids.entries()) {
      const photo = catalogue.photo[catalogue.ids.indexOf(id)]!;
      for (let at = 0; at < 8; at++)
        expect(vectors[place * 8 + at]).toBeCloseTo(exported[photo * 8 + at]!, 2);
    }
  });

  it('may see with several networks and with outlines side by side, in one file that gives what its head learned', async () => {
    const other = at('other.onnx');
    await writeFile(other, network(5));
    const { encoder } = settings();
    const out = at('beside');
    await pretrain({
      ...settings(),
      encoder: { ...encoder, taps: ['map'], beside: [{ file: other, taps: ['pooled'] }], outlines: 4 },
      out,
    });
    const vectors = await embeddingsBy(join(out, encoderFile));
    const alone = await embeddingsBy(join(at('run'), encoderFile));
    expect(vectors).toHaveLength(alone.length);
    for (let from = 0; from < vectors.length; from += 8)
      expect(Math.hypot(...vectors.subarray(from, from + 8))).toBeCloseTo(1, 4);
    expect(vectors.some((value, place) => Math.abs(value - alone[place]!) > 0.01)).toBe(true);
  });

  it('is not altered as pixels are, and the network alone is no source without one', async () => {
    const out = await temporaryFolder();
    await expect(pretrain({ ...settings(), augmentation: {}, out })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('augmentation'),
    });
    const alone = { dataset, out: at('none'), sources: ['backbone' as const], seeds: [1], diagnosis: false };
    await expect(compare(alone)).rejects.toMatchObject({ remedy: expect.stringContaining('--backbone') });
  });
});
