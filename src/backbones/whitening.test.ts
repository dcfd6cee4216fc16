import { afterAll, expect, it } from 'vitest';
import { pca } from '../linear-algebra/pca.ts';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import { fitWhitening, type Whitening } from './whitening.ts';

const engine = Engine.start();
afterAll(() => engine.close());

/** Rows of a few directions of very different widths, away from zero, with noise in the others. */
function sample(count: number, width: number): Float32Array {
  const random = Random.seeded(3, 'rows');
  const directions = Array.from({ length: 6 }, () =>
    Float64Array.from({ length: width }, () => random.normal()),
  );
  const rows = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    for (let at = 0; at < width; at++) rows[row * width + at] = 5 + 1e-4 * random.normal();
    for (const [place, direction] of directions.entries()) {
      const along = random.normal() * 3 ** -place;
      for (let at = 0; at < width; at++) rows[row * width + at]! += along * direction[at]!;
    }
  }
  return rows;
}

function project(rows: Float32Array, width: number, { components, map, shift }: Whitening): Float64Array {
  const projected = new Float64Array((rows.length / width) * components);
  for (let row = 0; row < rows.length / width; row++)
    for (let component = 0; component < components; component++) {
      let sum = shift[component]!;
      for (let at = 0; at < width; at++) sum += rows[row * width + at]! * map[at * components + component]!;
      projected[row * components + component] = sum;
    }
  return projected;
}

function varianceOf(values: Float64Array, components: number, component: number): number {
  const own = values.filter((_, at) => at % components === component);
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  return own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
}

const [count, width, components] = [400, 90, 6];
const rows = sample(count, width);
const fitted = (strength: number, parts = [width], wanted = components) =>
  fitWhitening(rows.slice(), { components: wanted, strength, parts }, Random.seeded(1, 'whitening'), engine);

it('without strength, projections are those of PCA, but for their sign and one factor', async () => {
  const projected = project(rows, width, await fitted(0));
  const exact = pca(rows, width, components).project(rows);
  const factor = Math.sqrt(
    varianceOf(projected, components, 0) / varianceOf(Float64Array.from(exact), components, 0),
  );
  for (let component = 0; component < components; component++) {
    let [product, square] = [0, 0];
    for (let row = 0; row < count; row++) {
      product += projected[row * components + component]! * exact[row * components + component]!;
      square += exact[row * components + component]! ** 2;
    }
    expect(Math.abs(product / square)).toBeCloseTo(factor, 3);
  }
});

it.each([0, 0.5, 1])(
  'with strength %f widths are those of PCA to the power 1 − strength, and 1 on average',
  async (strength) => {
    const whitening = await fitted(strength);
    const projected = project(rows, width, whitening);
    const { variances } = pca(rows, width, components);
    const found = Array.from({ length: components }, (_, place) => varianceOf(projected, components, place));
    expect(found.reduce((sum, value) => sum + value, 0) / components).toBeCloseTo(1, 3);
    for (let place = 1; place < components; place++)
      expect(found[place]! / found[0]!).toBeCloseTo((variances[place]! / variances[0]!) ** (1 - strength), 3);
  },
);

it('each part counts as much as the others, however large its numbers', async () => {
  const parts = [60, 30];
  const before = await fitted(0.5, parts);
  const larger = rows.map((value, at) => (at % width < 60 ? value : 1000 * value));
  const options = { components, strength: 0.5, parts };
  const after = await fitWhitening(larger.slice(), options, Random.seeded(1, 'whitening'), engine);
  const [one, other] = [project(rows, width, before), project(larger, width, after)];
  for (let component = 0; component < components; component++) {
    const own = (values: Float64Array) => values.filter((_, at) => at % components === component);
    const [a, b] = [own(one), own(other)];
    // A direction has no sign.
    const sign = Math.sign(a.reduce((sum, value, row) => sum + value * b[row]!, 0));
    for (let row = 0; row < count; row++) expect(Math.abs(a[row]! - sign * b[row]!)).toBeLessThan(2e-2);
  }
});

it('there are no more components than rows or features tell apart', async () => {
  const few = rows.slice(0, 4 * width);
  const options = { components: 50, strength: 1, parts: [width] };
  const { components: found, map } = await fitWhitening(few, options, Random.seeded(1, 'whitening'), engine);
  expect(found).toBe(3);
  expect(map.every(Number.isFinite)).toBe(true);
});
