import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { referenceDir } from '../../test/support/reference.ts';
import { gradients } from '../graph/differentiate.ts';
import { buildModel } from '../graph/onnx.ts';
import { linear, multiply, sumAll, transpose } from '../graph/operators/index.ts';
import { parametersOf } from '../graph/parameters.ts';
import { constant, input, type Tensor } from '../graph/tensor.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { floatTensor, readSafeTensors } from '../storage/safetensors.ts';
import { cutPatches } from './patches.ts';
import { patchEmbedding, type SwinConfig, swinForward } from './swin.ts';

const configSchema = z.object({
  patch_size: z.array(z.int()),
  embed_dim: z.int(),
  depths: z.array(z.int()),
  num_heads: z.array(z.int()),
  window_size: z.array(z.int()),
  image_size: z.int(),
  num_classes: z.int(),
  mlp_ratio: z.number(),
});

function expectClose(actual: Float32Array, expected: Float32Array, tolerance: number, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, index) => Math.max(most, Math.abs(actual[index]! - value)), 0);
  expect(worst / scale, what).toBeLessThan(tolerance);
}

describe('swin', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start();
  });
  afterAll(() => engine.close());

  it.each(['swin-tiny-like', 'swin-odd-windows'])(
    "has torchvision's output and gradients: %s",
    async (name) => {
      const reference = await readSafeTensors(join(referenceDir(), `${name}.safetensors`), 'Reference');
      const settings = configSchema.parse(JSON.parse(reference.metadata['config'] ?? ''));
      const photos = floatTensor(reference, 'input');
      const channelsFirst = input('photos', 'float32', photos.shape);
      const config: SwinConfig = {
        name: 'swin',
        head: 'mean',
        side: settings.image_size,
        patch: settings.patch_size[0]!,
        width: settings.embed_dim,
        depths: settings.depths,
        heads: settings.num_heads,
        window: settings.window_size[0]!,
        mlpRatio: settings.mlp_ratio,
        dimension: settings.num_classes,
      };
      const { weight, bias } = patchEmbedding(config);
      const patches = cutPatches(transpose(channelsFirst, [0, 2, 3, 1]), config.patch);
      const output = swinForward(linear(patches, weight, bias), config);
      const probe = floatTensor(reference, 'probe');
      const loss = sumAll(multiply(output, constant('float32', probe.data, probe.shape)));
      const parameters = parametersOf([loss]);
      const names = parameters.map(({ source }) =>
        source.kind === 'parameter' ? source.name.replace(/^encoder\./, '') : '',
      );
      const stored = [...reference.tensors.keys()].filter((key) => key.startsWith('param.'));
      expect(names.map((each) => `param.${each}`).sort()).toEqual(stored.sort());
      const bindings = new Map(
        parameters.map((tensor, index): [Tensor, Tensor] => {
          const value = floatTensor(reference, `param.${names[index]}`);
          expect(tensor.shape).toEqual(value.shape);
          return [tensor, constant('float32', value.data, value.shape)];
        }),
      );
      const found = gradients(loss, [channelsFirst, ...parameters]);
      const outputs = Object.fromEntries(found.map((tensor, index) => [`g${index}`, tensor]));
      const session = await engine.load(buildModel({ outputs: { output, loss, ...outputs }, bindings }));
      const results = await session.run({ photos: photos.data });
      expectClose(floats(results, 'output'), floatTensor(reference, 'output').data, 1e-4, 'output');
      expectClose(floats(results, 'loss'), floatTensor(reference, 'loss').data, 1e-4, 'loss');
      expectClose(floats(results, 'g0'), floatTensor(reference, 'input.grad').data, 1e-3, 'input');
      for (const [index, each] of names.entries()) {
        const expected = floatTensor(reference, `grad.${each}`).data;
        expectClose(floats(results, `g${index + 1}`), expected, 1e-3, each);
      }
    },
  );
});
