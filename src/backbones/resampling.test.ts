import { describe, expect, it } from 'vitest';
import {
  integers,
  largestDifference,
  modelFile,
  node,
  runDirectly,
  value,
} from '../../test/support/onnx-graphs.ts';
import { buildModel } from '../graph/onnx.ts';
import { matmul } from '../graph/operators/index.ts';
import { type FloatTensor, input } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { gridCoverage, interpolation } from './resampling.ts';

const random = Random.seeded(1, 'x');
const image = { shape: [1, 1, 12, 12], data: Float32Array.from({ length: 144 }, () => random.normal()) };

async function computed(y: FloatTensor, data: Float32Array, shape: readonly number[]) {
  const results = await runDirectly(buildModel({ outputs: { y } }).encode('fused'), { x: { shape, data } });
  return results['y']!.data;
}

describe('resampling as a product', () => {
  it.each([5, 8, 11, 20, 36])(
    'from 12 to %i pixels is what ONNX resizes to, with antialias where it shrinks',
    async (to) => {
      const along = interpolation(to, 12);
      const ours = matmul(matmul(along, input('x', 'float32', image.shape)), along, { transposeB: true });
      const resize = node('Resize', ['x', '', '', 'size'], ['y'], {
        mode: 'linear',
        antialias: Number(to < 12),
        exclude_outside: Number(to < 12),
      });
      const graph = {
        input: [value('x', image.shape)],
        node: [resize],
        initializer: [integers('size', [1, 1, to, to])],
        output: [value('y', [1, 1, to, to])],
      };
      const { y } = await runDirectly(modelFile(graph, 18), { x: image });
      expect(largestDifference(await computed(ours, image.data, image.shape), y!.data)).toBeLessThan(1e-5);
    },
  );

  it.each([
    [4, 3],
    [5, 3],
    [6, 1],
  ])('averages a grid of %i cells a side to %i by the area that they share', async (from, to) => {
    const cells = from * from;
    const data = Float32Array.from({ length: cells }, () => random.normal());
    const ours = await computed(matmul(gridCoverage(to, from), input('x', 'float32', [cells, 1])), data, [
      cells,
      1,
    ]);
    // Every cell as a square of to × to small ones, which no border cuts.
    const wanted = Array.from({ length: to * to }, (_, cell) => {
      const [top, left] = [Math.floor(cell / to) * from, (cell % to) * from];
      let sum = 0;
      for (let row = top; row < top + from; row++) {
        for (let column = left; column < left + from; column++)
          sum += data[Math.floor(row / to) * from + Math.floor(column / to)]!;
      }
      return sum / cells;
    });
    expect(largestDifference(ours, wanted)).toBeLessThan(1e-6);
  });
});
