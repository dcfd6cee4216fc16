import { afterAll, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { Engine } from '../runtime/engine.ts';
import { fitGrids, type GridWhitening } from './grid-whitening.ts';
import type { Tap } from './taps.ts';

const engine = Engine.start({ threads: 1 });
afterAll(() => engine.close());

const taps: readonly Tap[] = [
  { name: 'pooled', layout: 'pooled', cells: 1, channels: 3, from: 0 },
  { name: 'map', layout: 'grid', cells: 2, channels: 5, from: 3 },
  { name: 'coarse', layout: 'grid', cells: 1, channels: 4, from: 23 },
];
const [count, width] = [500, 27];

/** Channels that go together, each as wide as its number says, about a mean that differs from place to place. */
const random = Random.seeded(4, 'cells');
const rows = Float32Array.from({ length: count * width }, (_, at) => 3 * (at % width) + random.normal());
for (let at = 0; at < rows.length; at += width)
  for (let cell = 0; cell < 4; cell++) {
    const from = at + 3 + 5 * cell;
    rows[from + 1]! += 2 * (rows[from]! - 3 * (from % width));
  }

const fitted = (components: number, strength: number, given = rows) =>
  fitGrids(given, width, taps, { components, strength }, Random.seeded(1, 'fit'), engine);

/** Of each photo, cells one after the other. */
function projected({ tap, components, map, shift }: GridWhitening): readonly (readonly number[])[] {
  return Array.from({ length: count }, (_, photo) =>
    Array.from(shift, (start, at) => {
      const from = photo * width + tap.from + Math.floor(at / components) * tap.channels;
      return Array.from({ length: tap.channels }, (_, channel) => channel).reduce(
        (sum, channel) => sum + rows[from + channel]! * map[channel * components + (at % components)]!,
        start,
      );
    }),
  );
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);

it('takes the taps that are grids, and leaves what it is fitted on as it was', async () => {
  const before = rows.slice();
  const grids = await fitted(3, 0);
  expect(grids.map(({ tap, components, shift }) => [tap.name, components, shift.length])).toEqual([
    ['map', 3, 12],
    ['coarse', 3, 3],
  ]);
  expect(rows).toEqual(before);
  expect((await fitted(9, 0)).map(({ components }) => components)).toEqual([5, 4]);
});

it.each([0, 0.5, 1])(
  'of every place the mean is 0, and components of all cells vary by 1 on average and apart from each other: strength %f',
  async (strength) => {
    const [grid] = await fitted(3, strength);
    const photos = projected(grid!);
    for (let at = 0; at < 12; at++)
      expect(Math.abs(mean(photos.map((photo) => photo[at]!)))).toBeLessThan(1e-3);
    const cells = photos.flatMap((photo) => [0, 3, 6, 9].map((from) => photo.slice(from, from + 3)));
    const product = (a: number, b: number) => mean(cells.map((cell) => cell[a]! * cell[b]!));
    const variances = [0, 1, 2].map((component) => product(component, component));
    expect(mean(variances)).toBeCloseTo(1, 3);
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const)
      expect(Math.abs(product(a, b))).toBeLessThan(1e-3);
    if (strength === 1) for (const variance of variances) expect(variance).toBeCloseTo(1, 3);
    else expect(variances[0]).toBeGreaterThan(1.3 * variances[1]!);
  },
);
