import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  largestDifference,
  modelFile,
  node,
  randomPhotos,
  runDirectly,
  value,
  weights,
} from '../../test/support/onnx-graphs.ts';
import { tinyDataset, tinyPretraining } from '../../test/support/tiny-dataset.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import { encoderSettings } from '../encoders/index.ts';
import { pretrain } from '../pipelines/pretrain/index.ts';
import { Engine } from '../runtime/engine.ts';
import { projectionModel } from './projection.ts';
import { seenByBackbone } from './seeing-encoder.ts';
import { encoderFile, headFile } from './written-encoder.ts';

const [side, count, dimension] = [16, 1000, 8] as const;
const photos = { shape: [count, side, side, 3], data: randomPhotos(count, side, 3) };

/** Numbers without places before and behind a grid of 4 × 4 cells, and a grid of 2 × 2 cells at the end. */
const network = modelFile({
  input: [value('image', ['n', 3, 'h', 'w'])],
  node: [
    node('Conv', ['image', 'first'], ['edges'], { strides: [4, 4], kernel_shape: [4, 4] }),
    node('Relu', ['edges'], ['bent']),
    node('Conv', ['bent', 'second'], ['map'], { kernel_shape: [1, 1] }),
    node('AveragePool', ['map'], ['coarse'], { strides: [2, 2], kernel_shape: [2, 2] }),
    node('GlobalAveragePool', ['bent'], ['mean']),
    node('Flatten', ['mean'], ['pooled']),
  ],
  initializer: [weights('first', [8, 3, 4, 4]), weights('second', [6, 8, 1, 1])],
  output: [value('map', ['n', 6, 'y', 'x']), value('pooled', ['n', 8]), value('coarse', ['n', 6, 'v', 'u'])],
});

describe('an encoder of a pretrained network and a head, as one file', () => {
  let folder: string;
  let dataset: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    file = join(folder, 'network.onnx');
    await writeFile(file, network);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const plain = ['pooled', 'map'];
  it.each([
    { taps: plain, head: { name: 'linear' as const } },
    { taps: plain, head: { name: 'perceptron' as const, hidden: 16 } },
    { taps: plain, head: { name: 'both' as const, hidden: 16, dropout: 0.3 } },
    {
      taps: ['pooled', 'map', 'coarse'],
      head: { name: 'grid' as const, hidden: 16, components: 4, channels: 3 },
    },
    { taps: ['map', 'pooled'], head: { name: 'grid' as const, hidden: 16, components: 5, channels: 2 } },
  ])(
    'gives what network, whitening and head give one after the other, to 1e-5, on 1,000 photos: $head.name, $taps',
    async ({ taps, head }) => {
      const settings = { name: 'backbone' as const, file, taps, components: 24, head, dimension };
      const out = join(folder, `${head.name}-${taps.join('-')}`);
      await pretrain({ ...tinyPretraining, encoder: settings, dataset, out });
      const merged = new Uint8Array(await readFile(join(out, encoderFile)));

      const encoder = encoderSettings.parse(settings);
      if (encoder.name !== 'backbone') throw new Error('another encoder was read');
      const loaded = await loadDataset(dataset);
      const engine = Engine.start({ threads: 1 });
      const seen = await seenByBackbone(encoder, dataset, { dataset: loaded, engine }, {});
      closeDataset(loaded);
      await engine.close();
      const { backbone, projection } = seen;
      const { features } = await runDirectly(backbone.model.encode('fused'), { photos });
      const projected = projectionModel(backbone.width, projection).encode('fused');
      const { components } = await runDirectly(projected, { features: features! });
      const alone = await runDirectly(await readFile(join(out, headFile)), { photos: components! });
      const chained = alone['embeddings']!.data;
      expect(chained).toHaveLength(count * dimension);

      const whole = await runDirectly(merged, { photos });
      expect(largestDifference(whole['embeddings']!.data, chained)).toBeLessThan(1e-5);

      const session = await InferenceSession.create(merged);
      const some = photos.data.slice(0, 20 * side ** 2 * 3);
      const web = await session.run({ photos: new Tensor('uint8', some, [20, side, side, 3]) });
      await session.release();
      const found = Float32Array.from(web['embeddings']!.data, Number);
      expect(largestDifference(found, chained.subarray(0, 20 * dimension))).toBeLessThan(1e-5);
    },
  );

  it('has no grid head where no tap is a grid', async () => {
    const head = { name: 'grid' as const };
    const encoder = { name: 'backbone' as const, file, taps: ['pooled'], head };
    const out = join(folder, 'none');
    await expect(pretrain({ ...tinyPretraining, encoder, dataset, out })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('no tap of the backbone is one'),
    });
  });
});
