import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectForOldRuntimes } from '../../test/support/old-runtime.ts';
import { gradients } from '../graph/differentiate.ts';
import { headNames } from '../graph/layers.ts';
import { decodeModel } from '../graph/onnx-schema.ts';
import { multiply, sumAll } from '../graph/operators/index.ts';
import { initialValues, layoutOf, parametersOf } from '../graph/parameters.ts';
import { constant } from '../graph/tensor.ts';
import { buildExport } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { embeddingGraph, exportUntrainedEncoder, photoAxis } from './export.ts';
import { createEncoder, type EncoderConfig } from './index.ts';
import { presetNames } from './presets.ts';

/** The small presets, on photos of half the side they are meant for, which keeps the suite quick. */
const presetConfigs = presetNames
  .filter((name) => name.endsWith('-nano'))
  .map((name) => ({ name, side: 32, head: 'mean', dimension: 16 }) as const);

const configs: readonly EncoderConfig[] = headNames.flatMap((head): EncoderConfig[] => [
  { name: 'vit', side: 16, patch: 4, width: 12, depth: 2, heads: 3, mlpRatio: 2, head, dimension: 6 },
  {
    name: 'swin',
    side: 24,
    patch: 4,
    width: 8,
    depths: [2, 2],
    heads: [2, 4],
    window: 4,
    mlpRatio: 2,
    head,
    dimension: 6,
  },
]);

const outlines = { name: 'outlines', side: 16, cells: 4, width: 12, dimension: 6 } as const;

function labelOf(config: EncoderConfig): string {
  return 'head' in config ? `${config.name} with the head ${config.head}` : config.name;
}

/** What every encoder has to keep, whatever it computes. */
const all: readonly EncoderConfig[] = [...configs, outlines, ...presetConfigs];
describe.each(all.map((config) => ({ config, label: labelOf(config) })))(
  'the encoder $label',
  ({ config }) => {
    const encoder = createEncoder(config);
    const side = encoder.sees.shape[0]!;
    let engine: Engine;
    beforeAll(() => {
      engine = Engine.start();
    });
    afterAll(() => engine.close());

    const photosOf = (count: number, seed: number) => {
      const random = Random.seeded(seed, 'photos');
      return Uint8Array.from({ length: count * side ** 2 * 3 }, () => random.integer(256));
    };

    it('gives unit vectors, the same for a photo alone and in any batch', async () => {
      const session = await engine.load(exportUntrainedEncoder(encoder, Random.seeded(1, 'parameters')));
      const photos = photosOf(5, 1);
      const all = floats(await session.run({ photos }), 'embeddings');
      expect(all.length).toBe(5 * encoder.dimension);
      for (let photo = 0; photo < 5; photo++) {
        const own = all.subarray(photo * encoder.dimension, (photo + 1) * encoder.dimension);
        expect(Math.hypot(...own)).toBeCloseTo(1, 5);
        const bytes = side ** 2 * 3;
        const alone = floats(
          await session.run({ photos: photos.slice(photo * bytes, (photo + 1) * bytes) }),
          'embeddings',
        );
        for (const [index, value] of alone.entries()) expect(value).toBeCloseTo(own[index]!, 5);
      }
    });

    it('tells photos apart, and sees where in the photo something is', async () => {
      const session = await engine.load(exportUntrainedEncoder(encoder, Random.seeded(1, 'parameters')));
      const blank = new Uint8Array(side ** 2 * 3).fill(200);
      const [left, right] = [blank.slice(), blank.slice()];
      const quarter = side / 4;
      for (let row = 0; row < quarter; row++) {
        left.fill(10, row * side * 3, (row * side + quarter) * 3);
        right.fill(10, ((row + 1) * side - quarter) * 3, (row + 1) * side * 3);
      }
      const photos = Uint8Array.from([...blank, ...left, ...right]);
      const vectors = floats(await session.run({ photos }), 'embeddings');
      const part = (index: number) =>
        vectors.subarray(index * encoder.dimension, (index + 1) * encoder.dimension);
      const distance = (a: number, b: number) =>
        Math.hypot(...part(a).map((value, index) => value - part(b)[index]!));
      expect(distance(0, 1)).toBeGreaterThan(1e-3);
      expect(distance(1, 2)).toBeGreaterThan(1e-3);
    });

    it('learns with every parameter, the same from any number of photos', async () => {
      const { embeddings } = embeddingGraph(encoder);
      const probe = constant(
        'float32',
        Float32Array.from({ length: encoder.dimension }, (_, index) => Math.cos(index)),
        [encoder.dimension],
      );
      const loss = sumAll(multiply(embeddings, probe));
      const parameters = parametersOf([loss]);
      const outputs = Object.fromEntries(
        gradients(loss, parameters).map((tensor, index) => [`g${index}`, tensor]),
      );
      const values = initialValues(parameters, Random.seeded(1, 'parameters'));
      const session = await engine.load(
        buildExport(outputs, layoutOf(parameters), values, { photos: photoAxis }),
      );
      const one = photosOf(1, 2);
      const single = await session.run({ photos: one });
      // Four times the same photo: four times the gradient.
      const four = await session.run({ photos: Uint8Array.from([...one, ...one, ...one, ...one]) });
      for (const [index, { source }] of parameters.entries()) {
        const name = source.kind === 'parameter' ? source.name : '';
        const [small, large] = [floats(single, `g${index}`), floats(four, `g${index}`)];
        const scale = small.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(scale, name).toBeGreaterThan(0);
        const worst = small.reduce(
          (most, value, place) => Math.max(most, Math.abs(4 * value - large[place]!)),
          0,
        );
        expect(worst / Math.max(scale, 1e-3), name).toBeLessThan(1e-3);
      }
    });

    it('leaves the house as a model that ONNX Runtime 1.17 loads', () => {
      const bytes = exportUntrainedEncoder(encoder, Random.seeded(1, 'parameters')).encode('standard');
      expect(decodeModel(bytes).graph.node.length).toBeGreaterThan(10);
      expectForOldRuntimes(bytes);
    });

    it('has the same parameters for the same seed', () => {
      const bytes = () =>
        Buffer.from(exportUntrainedEncoder(encoder, Random.seeded(1, 'parameters')).encode('standard'));
      expect(bytes().equals(bytes())).toBe(true);
    });
  },
);

it("swin-tiny has as many parameters as torchvision's swin_t, but for the head", () => {
  const [dimension, classes, width] = [128, 1000, 768];
  const encoder = createEncoder({ name: 'swin-tiny', side: 224, head: 'mean', dimension });
  const { size } = layoutOf(parametersOf([embeddingGraph(encoder).embeddings]));
  // 28,288,354 is the number that torchvision's documentation gives for swin_t with its head of 1,000 classes.
  expect(size).toBe(28_288_354 - (width + 1) * classes + (width + 1) * dimension);
});
