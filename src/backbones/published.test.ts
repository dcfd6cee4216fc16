import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { largestDifference, randomPhotos, runDirectly } from '../../test/support/onnx-graphs.ts';
import { publishedBackbone } from '../../test/support/published-backbone.ts';
import { buildModel } from '../graph/onnx.ts';
import { l2Normalize, linear } from '../graph/operators/index.ts';
import { constant, input, openLength } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { mergeHead, openBackbone } from './backbone.ts';

const file = publishedBackbone('efficientnet-lite0.onnx');
const [side, count, dimension] = [128, 50, 16] as const;

describe.skipIf(file === null)('EfficientNet-lite0 with the weights of ImageNet (BACKBONES_DIR)', () => {
  const path = file ?? '';

  it('gives the features that its file gives by itself, and on 1,000 photos the same merged with a head', async () => {
    const backbone = await openBackbone({ file: path }, side);
    expect(backbone.taps.map(({ name, cells, channels }) => [name, cells, channels])).toEqual([
      ['pooled', 1, 1280],
      ['map16', 8, 112],
      ['map32', 4, 320],
    ]);
    const photos = { shape: [count, side, side, 3], data: randomPhotos(count, side) };
    const direct = await runDirectly(await readFile(path), { image: photos });
    const { features } = await runDirectly(backbone.model.encode('fused'), { photos });
    for (const { name, cells, channels, from } of backbone.taps) {
      const size = cells ** 2 * channels;
      for (let photo = 0; photo < count; photo++) {
        const start = photo * backbone.width + from;
        const own = direct[name]!.data.subarray(photo * size, (photo + 1) * size);
        expect(largestDifference(features!.data.subarray(start, start + size), own)).toBeLessThan(1e-5);
      }
    }
    const random = Random.seeded(1, 'head');
    const weights = Float32Array.from({ length: dimension * backbone.width }, () => 0.01 * random.normal());
    const given = input('features', 'float32', [openLength, backbone.width]);
    const weight = constant('float32', weights, [dimension, backbone.width]);
    const shift = constant('float32', weights.slice(0, dimension), [dimension]);
    const embeddings = l2Normalize(linear(given, weight, shift));
    const head = buildModel({ outputs: { embeddings }, openAxes: { features: 'n', embeddings: 'n' } });
    const embedded = async (pixels: typeof photos) => {
      const given = await runDirectly(backbone.model.encode('fused'), { photos: pixels });
      const chained = await runDirectly(head.encode('fused'), { features: given['features']! });
      const merged = await runDirectly(mergeHead(backbone, head, {}), { photos: pixels });
      return largestDifference(merged['embeddings']!.data, chained['embeddings']!.data);
    };
    for (let part = 0; part < 20; part++) {
      const data = randomPhotos(count, side, part + 1);
      expect(await embedded({ shape: [count, side, side, 3], data })).toBeLessThan(1e-5);
    }
  }, 300_000);
});
