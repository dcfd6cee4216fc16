import { afterAll, describe, expect, it } from 'vitest';
import { initialValues, layoutOf, parametersOf } from '../graph/parameters.ts';
import { input } from '../graph/tensor.ts';
import { buildInference } from '../graph/training-step.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import type { FeatureHeadSettings } from './backbone.ts';
import { exportUntrainedEncoder } from './export.ts';
import { featureHead, type GridOfCells } from './feature-head.ts';

const engine = Engine.start({ threads: 1 });
afterAll(() => engine.close());

const [count, components] = [4, 6];
const random = Random.seeded(1, 'features');
const normal = (length: number) => Float32Array.from({ length }, () => random.normal());

const grids: readonly GridOfCells[] = [
  { cells: 2, components: 3 },
  { cells: 1, components: 5 },
];
const hidden = { hidden: 16, dropout: 0 };
const heads: readonly { head: FeatureHeadSettings; grids: readonly GridOfCells[] }[] = [
  { head: { name: 'linear' }, grids: [] },
  { head: { name: 'both', ...hidden }, grids: [] },
  { head: { name: 'grid', ...hidden, components: 3, channels: 2 }, grids },
];

describe('a head of features', () => {
  it.each(heads.flatMap((given) => [3, 8].map((dimension) => ({ ...given, dimension }))))(
    'that has learned nothing gives the leading components, of unit length: $head.name, $dimension numbers',
    async ({ dimension, ...given }) => {
      const head = featureHead({ ...given, components, dimension });
      const [width = 0] = head.sees.shape;
      const features = normal(count * width);
      const session = await engine.load(exportUntrainedEncoder(head, Random.seeded(1, 'parameters')));
      const found = floats(await session.run({ photos: features }), 'embeddings');
      expect(found).toHaveLength(count * dimension);
      for (let row = 0; row < count; row++) {
        const own = [...features.subarray(row * width, row * width + components)].slice(0, dimension);
        const length = Math.hypot(...own);
        for (let place = 0; place < dimension; place++)
          expect(found[row * dimension + place]).toBeCloseTo((own[place] ?? 0) / length, 5);
      }
    },
  );

  it('that takes the grid mixes each cell by the same small map before its hidden layer, beside what goes straight through', async () => {
    const given = { name: 'grid', hidden: 8, dropout: 0, components: 3, channels: 2 } as const;
    const [cells] = grids;
    const head = featureHead({ head: given, components, grids: [cells!], dimension: 4 });
    const photos = input('photos', 'float32', [1, components + 12]);
    const output = head.forward(photos);
    const parameters = parametersOf([output]);
    expect(layoutOf(parameters).places.map(({ name, shape }) => [name, shape])).toEqual([
      ['encoder.cell0.weight', [2, 3]],
      ['encoder.hidden.bias', [8]],
      ['encoder.hidden.weight', [8, 8]],
      ['encoder.output.weight', [4, 8]],
      ['encoder.straight.weight', [4, 6]],
    ]);
    const values = normal(layoutOf(parameters).size);
    const session = await engine.load(buildInference({ output }, layoutOf(parameters)));
    const places = layoutOf(parameters).places;
    const part = (name: string) => {
      const { offset, size } = places.find((place) => place.name === name)!;
      return values.subarray(offset, offset + size);
    };
    const [mix, weight, bias, out, straight] = [
      'cell0.weight',
      'hidden.weight',
      'hidden.bias',
      'output.weight',
      'straight.weight',
    ].map((name) => part(`encoder.${name}`));
    const seen = normal(components + 12);
    const [found] = [floats(await session.run({ photos: seen, parameters: values }), 'output')];
    const mixed = Array.from({ length: 8 }, (_, at) => {
      const [cell, channel] = [Math.floor(at / 2), at % 2];
      return [0, 1, 2].reduce((sum, n) => sum + mix![channel * 3 + n]! * seen[components + cell * 3 + n]!, 0);
    });
    const units = Array.from(bias!, (start, unit) =>
      Math.max(
        0,
        mixed.reduce((sum, each, at) => sum + each * weight![unit * 8 + at]!, start),
      ),
    );
    for (let place = 0; place < 4; place++) {
      const through = [...seen.subarray(0, components)].reduce(
        (sum, each, at) => sum + each * straight![place * components + at]!,
        0,
      );
      const wanted = units.reduce((sum, each, at) => sum + each * out![place * 8 + at]!, through);
      expect(found![place]).toBeCloseTo(wanted, 3);
    }
  });

  it('leaves out the hidden units that dropout hides, and scales the others', async () => {
    const head = featureHead({
      head: { name: 'perceptron', hidden: 8, dropout: 0.5 },
      components,
      grids: [],
      dimension: 4,
    });
    expect(head.hides).toEqual({ units: 8, share: 0.5 });
    const photos = input('photos', 'float32', [count, components]);
    const outputs = {
      all: head.forward(photos),
      none: head.forward(photos, input('kept', 'float32', [count, 8])),
    };
    const parameters = parametersOf(Object.values(outputs));
    const layout = layoutOf(parameters);
    const session = await engine.load(buildInference(outputs, layout));
    const feeds = {
      photos: normal(count * components),
      parameters: initialValues(parameters, Random.seeded(2, 'head')),
    };
    const kept = new Float32Array(count * 8).fill(2);
    kept.fill(0, 0, 8);
    const results = await session.run({ ...feeds, kept });
    const [all, some] = [floats(results, 'all'), floats(results, 'none')];
    expect([...some.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    for (let at = 4; at < all.length; at++) expect(some[at]).toBeCloseTo(2 * all[at]!, 5);
  });
});
