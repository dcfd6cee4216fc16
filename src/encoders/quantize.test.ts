import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectForOldRuntimes } from '../../test/support/old-runtime.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { elementTypes, encodeModel } from '../graph/onnx-schema.ts';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import { writeFileWhole } from '../storage/files.ts';
import { batchSize } from './embed-rows.ts';
import { exportUntrainedEncoder } from './export.ts';
import { encoderFileOf, readEncoderFile } from './file.ts';
import { createEncoder, type EncoderConfig } from './index.ts';
import { ExportedEncoder } from './load.ts';
import { quantize, quantizedFrom } from './quantize.ts';

const side = 16;
const common = { side, mlpRatio: 2, head: 'mean', dimension: 16 } as const;
const configs: readonly EncoderConfig[] = [
  { ...common, name: 'vit', patch: 4, width: 32, depth: 2, heads: 2 },
  { ...common, name: 'vit', head: 'layout', patch: 8, width: 16, depth: 1, heads: 2 },
  { ...common, name: 'swin', patch: 2, width: 16, depths: [2, 1], heads: [2, 4], window: 4 },
  { side, dimension: 16, name: 'outlines', cells: 4, width: 32 },
];
const random = Random.seeded(1, 'photos');
const photos = Uint8Array.from({ length: batchSize * side * side * 3 }, () => random.integer(256));
const fileOf = (config: EncoderConfig) => {
  const model = exportUntrainedEncoder(createEncoder(config), Random.seeded(1, 'parameters'));
  return encoderFileOf('encoder.onnx', model.encode('standard'));
};

describe.each(configs.map((config) => [config.name, config] as const))('the encoder %s', (_, config) => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  it('gives the same bits for a photo in whatever company', async () => {
    const encoder = await ExportedEncoder.load(fileOf(config), engine);
    const all = await encoder.embed(photos);
    const length = side * side * 3;
    for (const [from, to] of [
      [0, 1],
      [3, 5],
      [1, 32],
      [31, 32],
    ] as const) {
      const some = await encoder.embed(photos.subarray(from * length, to * length));
      expect([...some]).toEqual([...all.subarray(from * common.dimension, to * common.dimension)]);
    }
  });

  it('in 8 bits embeds nearly alike, from a smaller file that tells its origin and that ONNX Runtime 1.17 loads', async () => {
    const file = fileOf(config);
    const small = await quantize(file, 'encoder.int8.onnx', [photos], engine);
    expect([small.side, small.dimension, quantizedFrom(small), quantizedFrom(file)]).toEqual([
      side,
      common.dimension,
      file.hash,
      undefined,
    ]);
    expect(small.bytes.length).toBeLessThan(file.bytes.length);
    expectForOldRuntimes(small.bytes);
    const [a, b] = await Promise.all(
      [file, small].map(async (each) => (await ExportedEncoder.load(each, engine)).embed(photos)),
    );
    for (let row = 0; row < batchSize; row++) {
      let cosine = 0;
      for (let i = row * 16; i < (row + 1) * 16; i++) cosine += a![i]! * b![i]!;
      expect(cosine).toBeGreaterThan(0.98);
      // It is another model indeed.
      expect(cosine).toBeLessThan(1 - 1e-9);
    }
  });

  it('in 8 bits is the same file for the same photos', async () => {
    const [one, two] = [
      await quantize(fileOf(config), 'a', [photos], engine),
      await quantize(fileOf(config), 'b', [photos], engine),
    ];
    expect(one.hash).toBe(two.hash);
  });
});

describe('an encoder file', () => {
  it('tells the side of its photos and the length of its embeddings', async () => {
    const path = join(await temporaryFolder(), 'encoder.onnx');
    await writeFileWhole(path, fileOf(configs[0]!).bytes);
    const { bytes, ...told } = await readEncoderFile(path);
    expect(told).toMatchObject({ path, side, dimension: 16 });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it('that is none is refused', () => {
    const tensorType = { elemType: elementTypes.float32, shape: { dim: [] } };
    const named = (name: string) => [{ name, type: { tensorType } }];
    const graphs = [
      Uint8Array.of(1, 2, 3),
      new Uint8Array(0),
      encodeModel({ graph: { input: named('photos'), output: named('embeddings') } }),
      encodeModel({ graph: { input: named('words'), output: named('embeddings') } }),
    ];
    for (const bytes of graphs) {
      expect(() => encoderFileOf('x.onnx', bytes)).toThrowError(
        expect.objectContaining({ code: 'FILE_CORRUPT' }),
      );
    }
  });
});
