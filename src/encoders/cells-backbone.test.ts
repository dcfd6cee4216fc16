import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { modelFile, node, randomPhotos, value } from '../../test/support/onnx-graphs.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { type Backbone, openBackbone } from '../backbones/backbone.ts';
import { sideBySide } from '../backbones/side-by-side.ts';
import { buildModel } from '../graph/onnx.ts';
import { reshape } from '../graph/operators/index.ts';
import { input } from '../graph/tensor.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { cellColours, cellOutlines } from './cells.ts';
import { cellsBackbone } from './cells-backbone.ts';

const engine = Engine.start({ threads: 1 });
afterAll(() => engine.close());

const [side, cells, count] = [12, 3, 2];
const photos = randomPhotos(count, side);

async function featuresOf({ model }: Pick<Backbone, 'model'>): Promise<Float32Array> {
  return floats(await (await engine.load(model)).run({ photos }), 'features');
}

it('cells are those of the encoder `outlines`: first all outlines of a photo, then its colours', async () => {
  const given = input('photos', 'uint8', [count, side, side, 3]);
  const outputs = {
    outlines: reshape(cellOutlines(given, cells), [count, 7 * cells ** 2]),
    colours: reshape(cellColours(given, cells), [count, 3 * cells ** 2]),
  };
  const wanted = await (await engine.load(buildModel({ outputs }))).run({ photos });
  const backbone = cellsBackbone(side, cells);
  expect(backbone.width).toBe(10 * cells ** 2);
  const found = await featuresOf(backbone);
  for (const [name, from, width] of [
    ['outlines', 0, 63],
    ['colours', 63, 27],
  ] as const)
    for (let photo = 0; photo < count; photo++) {
      const own = found.subarray(photo * 90 + from, photo * 90 + from + width);
      const exact = floats(wanted, name).subarray(photo * width, (photo + 1) * width);
      for (const [place, value] of own.entries()) expect(value).toBeCloseTo(exact[place]!, 5);
    }
});

it('backbones side by side give the features of each, one after the other, and say where each begins', async () => {
  const path = join(await temporaryFolder(), 'mean.onnx');
  const graph = {
    input: [value('image', ['n', 3, 'h', 'w'])],
    node: [node('GlobalAveragePool', ['image'], ['mean']), node('Flatten', ['mean'], ['features'])],
    output: [value('features', ['n', 3])],
  };
  await writeFile(path, modelFile(graph));
  const parts = [
    cellsBackbone(side, cells),
    await openBackbone({ file: path }, side),
    cellsBackbone(side, 2),
  ];
  const whole = sideBySide(parts);
  expect(whole.width).toBe(90 + 3 + 40);
  expect(whole.taps.map(({ name, from }) => [name, from])).toEqual([
    ['outlines', 0],
    ['colours', 63],
    ['features', 90],
    ['outlines', 93],
    ['colours', 121],
  ]);
  const found = await featuresOf(whole);
  let from = 0;
  for (const part of parts) {
    const own = await featuresOf(part);
    for (let photo = 0; photo < count; photo++)
      for (let place = 0; place < part.width; place++)
        expect(found[photo * whole.width + from + place]).toBeCloseTo(own[photo * part.width + place]!, 5);
    from += part.width;
  }
  expect(sideBySide([parts[0]!])).toBe(parts[0]);
  expect(() => sideBySide([parts[0]!, cellsBackbone(side + 2, 2)])).toThrow('other sides');
});
