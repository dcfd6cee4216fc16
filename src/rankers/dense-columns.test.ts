import { describe, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { visualFeatures } from '../features/index.ts';
import { DenseColumns } from './dense-columns.ts';
import { rowsOfSplit } from './fields.ts';

const { data, embeddings } = tinyLog();
const trainRows = rowsOfSplit(data, 'train');

function moments(values: Float32Array, width: number, column: number): [number, number] {
  const own = values.filter((_, index) => index % width === column);
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
  return [mean, Math.sqrt(variance)];
}

describe('dense columns', () => {
  it('have mean 0 and deviation 1 over the training exposures, constant ones are 0 everywhere', () => {
    const columns = new DenseColumns(data, visualFeatures['sim-score'](data, embeddings), trainRows);
    const out = new Float32Array(trainRows.length * columns.width);
    columns.fill(trainRows, out);
    expect(columns.width).toBe(2 + 8);
    for (let column = 0; column < columns.width; column++) {
      const [mean, deviation] = moments(out, columns.width, column);
      // Column 1 is constant by construction; the last says that something was comparable, which holds always.
      const constant = column === 1 || column === columns.width - 1;
      expect(mean).toBeCloseTo(0, 4);
      expect(deviation).toBeCloseTo(constant ? 0 : 1, 4);
    }
  });

  it('take their statistics from the training exposures only', () => {
    const numeric = data.exposures.numeric.slice();
    for (const row of rowsOfSplit(data, 'test')) numeric[row * 2] = 1e6;
    const shifted = { ...data, exposures: { ...data.exposures, numeric } };
    const [before, after] = [data, shifted].map((log) => {
      const out = new Float32Array(trainRows.length * 2);
      new DenseColumns(log, null, trainRows).fill(trainRows, out);
      return out;
    });
    expect(after).toEqual(before);
  });

  it('refuse a value that is not finite, naming the column', () => {
    const numeric = data.exposures.numeric.slice();
    numeric[2 * 5] = Number.NaN;
    const broken = { ...data, exposures: { ...data.exposures, numeric } };
    expect(() => new DenseColumns(broken, null, trainRows)).toThrow('noise of exposure 5 is not a finite');
    const feature = {
      name: 'sight',
      width: 2,
      fill: (_: Int32Array, out: Float32Array) => out.fill(Number.POSITIVE_INFINITY, 1, 2),
    };
    expect(() => new DenseColumns(data, feature, trainRows)).toThrow('sight[1] of exposure 0');
  });

  it('may be none at all', () => {
    const bare = {
      ...data,
      exposures: { ...data.exposures, numeric: new Float32Array(0), numericNames: [] },
    };
    const columns = new DenseColumns(bare, null, trainRows);
    expect(columns.width).toBe(0);
    columns.fill(trainRows, new Float32Array(0));
  });
});
