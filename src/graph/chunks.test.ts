import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Encoder, photosInput } from '../encoders/encoder.ts';
import { featureHead } from '../encoders/feature-head.ts';
import { createEncoder, type EncoderConfig } from '../encoders/index.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { mapChunks } from './chunks.ts';
import { gradients } from './differentiate.ts';
import { buildModel } from './onnx.ts';
import { multiply, reshape, sumAll } from './operators/index.ts';
import { initialValues, layoutOf, namedParts, parametersOf } from './parameters.ts';
import { constant, sizeOf, type Tensor } from './tensor.ts';

const [photos, dimension, side] = [6, 5, 8];
const encoders: readonly EncoderConfig[] = [
  { name: 'vit', side, patch: 4, width: 6, depth: 1, heads: 2, mlpRatio: 2, head: 'mean', dimension },
  {
    name: 'swin',
    side,
    patch: 2,
    width: 4,
    depths: [2, 1],
    heads: [2, 2],
    window: 2,
    mlpRatio: 2,
    head: 'layout',
    dimension,
  },
];

/** Features (n, F) to embeddings: the way back needs what arrived itself. */
const head = featureHead({
  head: { name: 'both', hidden: 8, dropout: 0 },
  components: 7,
  grids: [],
  dimension,
});

describe('mapChunks', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start();
  });
  afterAll(() => engine.close());

  /** Loss and every gradient of an encoder's output times a fixed tensor. */
  async function run(encoder: Encoder, size: number | null) {
    const random = Random.seeded(7, 'chunks');
    const length = photos * sizeOf(encoder.sees.shape);
    const seen =
      encoder.sees.type === 'uint8'
        ? Uint8Array.from({ length }, () => random.integer(256))
        : Float32Array.from({ length }, () => random.normal());
    const rows = Float32Array.from({ length: photos * dimension }, () => random.normal());
    const probe = constant('float32', rows, [photos, dimension]);
    const shape = size === null ? [photos] : [photos / size, size];
    const batch = photosInput(encoder, shape);
    const mapped = () =>
      batch.type === 'uint8'
        ? mapChunks(batch, [], (chunk) => encoder.forward(chunk))
        : mapChunks(batch, [], (chunk) => encoder.forward(chunk));
    const embeddings = size === null ? encoder.forward(batch) : mapped().result;
    const loss = sumAll(multiply(reshape(embeddings, [photos, dimension]), probe));
    const parameters = parametersOf([loss]);
    const layout = layoutOf(parameters);
    const values = initialValues(parameters, Random.seeded(3, 'parameters'));
    const parts = namedParts(layout, values);
    const bindings = new Map(
      parameters.map((tensor, index): [Tensor, Tensor] => {
        const { name, shape: own } = layout.places[index]!;
        return [tensor, constant('float32', parts.get(name)!, own)];
      }),
    );
    const found = gradients(loss, parameters);
    const named = Object.fromEntries(found.map((tensor, index) => [layout.places[index]!.name, tensor]));
    const session = await engine.load(buildModel({ outputs: { loss, ...named }, bindings }));
    return session.run({ photos: seen });
  }

  it.each([
    ...encoders.map((config) => ({ name: config.name, encoder: createEncoder(config) })),
    { name: 'head', encoder: head },
  ])('gives the loss and the gradients of the whole batch: $name', async ({ encoder }) => {
    const whole = await run(encoder, null);
    for (const size of [1, 2, 6]) {
      const chunked = await run(encoder, size);
      expect(Object.keys(chunked)).toEqual(Object.keys(whole));
      for (const name of Object.keys(whole)) {
        const [actual, expected] = [floats(chunked, name), floats(whole, name)];
        const scale = Math.max(1e-3, ...expected.map(Math.abs));
        for (const [index, value] of actual.entries())
          expect(Math.abs(value - expected[index]!) / scale, `${name} in chunks of ${size}`).toBeLessThan(
            1e-4,
          );
      }
    }
  });
});
