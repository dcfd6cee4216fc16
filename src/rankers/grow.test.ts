import { describe, expect, it } from 'vitest';
import { growVector } from './grow.ts';

function layout(shapes: Readonly<Record<string, readonly number[]>>) {
  let offset = 0;
  const places = Object.entries(shapes).map(([name, shape]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const place = { name, shape, offset, size };
    offset += size;
    return place;
  });
  return { places, size: offset };
}

describe('a ranker that goes on as a larger one', () => {
  it('keeps its values as leading blocks, with zeros behind them, and leaves new parameters as they are', () => {
    const small = layout({ bias: [2], weight: [2, 2] });
    const large = layout({ bias: [3], gate: [2], weight: [3, 4] });
    const grown = growVector(small, Float32Array.of(1, 2, 3, 4, 5, 6), large, new Float32Array(17).fill(9));
    expect([...grown]).toEqual([1, 2, 0, 9, 9, 3, 4, 0, 0, 5, 6, 0, 0, 0, 0, 0, 0]);
  });

  it('stays the same when nothing is new', () => {
    const same = layout({ a: [2, 3], b: [1] });
    const values = Float32Array.of(1, 2, 3, 4, 5, 6, 7);
    expect(growVector(same, values, same, new Float32Array(7))).toEqual(values);
  });

  it('is refused where a parameter is missing or smaller', () => {
    const values = new Float32Array(4);
    const small = layout({ weight: [2, 2] });
    const fresh = new Float32Array(4);
    expect(() => growVector(small, values, layout({ other: [4] }), fresh)).toThrow('weight [2,2]');
    expect(() => growVector(small, values, layout({ weight: [4, 1] }), fresh)).toThrow('fit into [4,1]');
  });
});
