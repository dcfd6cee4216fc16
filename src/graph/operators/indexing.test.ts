import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { Engine, floats } from '../../runtime/engine.ts';
import { buildModel } from '../onnx.ts';
import { input } from '../tensor.ts';
import { scatterAdd } from './indexing.ts';

describe('scatterAdd', () => {
  it('loses no addition to a row that several threads could reach at once', async () => {
    const [count, rows, width] = [20_000, 500, 16];
    const table = input('table', 'float32', [rows, width]);
    const sums = scatterAdd(
      input('updates', 'float32', [count, width]),
      input('indices', 'int32', [count]),
      table,
    );
    const random = Random.seeded(1, 'scatter');
    const indices = Int32Array.from({ length: count }, () => random.integer(rows));
    // Whole numbers: sums are exact in any order.
    const updates = Float32Array.from({ length: count * width }, () => random.integer(10));
    const expected = new Float32Array(rows * width);
    for (const [row, index] of indices.entries()) {
      for (let column = 0; column < width; column++)
        expected[index * width + column]! += updates[row * width + column]!;
    }
    const engine = Engine.start({ threads: 4 });
    try {
      const session = await engine.load(buildModel({ outputs: { sums } }));
      for (let repetition = 0; repetition < 10; repetition++) {
        const results = await session.run({ updates, indices, table: new Float32Array(rows * width) });
        expect(floats(results, 'sums')).toEqual(expected);
      }
    } finally {
      await engine.close();
    }
  });
});
