import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildModel } from '../graph/onnx.ts';
import { type FloatTensor, input } from '../graph/tensor.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { cellColours, cellOutlines } from './cells.ts';

const [side, cells] = [24, 3];

/** A photo of the colour that a function gives at each place. */
function photoOf(colour: (x: number, y: number) => readonly [number, number, number]): Uint8Array {
  const pixels = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) pixels.set(colour(x, y), (y * side + x) * 3);
  }
  return pixels;
}

describe('what a photo shows in its cells', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  async function compute(
    make: (photos: ReturnType<typeof input<'uint8'>>) => FloatTensor,
    photo: Uint8Array,
  ) {
    const photos = input('photos', 'uint8', [1, side, side, 3]);
    const model = buildModel({ outputs: { values: make(photos) } });
    const session = await engine.load(model);
    return floats(await session.run({ photos: photo }), 'values');
  }
  const outlinesOf = (photo: Uint8Array) => compute((photos) => cellOutlines(photos, cells), photo);
  const coloursOf = (photo: Uint8Array) => compute((photos) => cellColours(photos, cells), photo);
  /** The seven numbers of the cell in this column and row. */
  const cellOf = (values: Float32Array, column: number, row: number, channels = 7) =>
    Array.from({ length: channels }, (_, k) => values[k * cells * cells + column * cells + row]!);

  it.each([0, 30, 45, 90, 135, 160])(
    'a slope towards %i degrees has the coefficients of that direction',
    async (degrees) => {
      const direction = (degrees * Math.PI) / 180;
      const photo = photoOf((x, y) => {
        const grey =
          128 + 4 * (x - side / 2) * Math.cos(direction) + 4 * (y - side / 2) * Math.sin(direction);
        return [grey, grey, grey];
      });
      const middle = cellOf(await outlinesOf(photo), 1, 1);
      // Each direction has length 1 at every frequency, and so all together √4.
      for (const [k, value] of [
        1,
        ...[2, 4, 6].flatMap((times) => [Math.cos(times * direction), Math.sin(times * direction)]),
      ].entries()) {
        expect(middle[k]).toBeCloseTo(value / 2, 1);
      }
    },
  );

  it('an edge is told by the cells that it crosses, a flat cell by zeros', async () => {
    const values = await outlinesOf(photoOf((x) => (x < 2 ? [0, 0, 0] : [255, 255, 255])));
    expect(cellOf(values, 0, 1)[0]).toBeGreaterThan(0.4);
    for (const value of cellOf(values, 2, 1)) expect(Math.abs(value)).toBeLessThan(0.01);
  });

  it('the colour of a cell is the mean of its pixels, from −1 to 1', async () => {
    const values = await coloursOf(photoOf((x) => (x < side / 2 ? [255, 0, 51] : [0, 255, 51])));
    const [left, middle, right] = [0, 1, 2].map((column) => cellOf(values, column, 1, 3));
    for (const [cell, expected] of [
      [left!, [1, -1, -0.6]],
      [middle!, [0, 0, -0.6]],
      [right!, [-1, 1, -0.6]],
    ] as const) {
      for (const [channel, value] of expected.entries()) expect(cell[channel]).toBeCloseTo(value, 5);
    }
  });
});
