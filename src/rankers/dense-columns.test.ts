import { describe, expect, it } from 'vitest';
import { numbersOf } from '../../test/support/numbers.ts';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { numericRows } from '../data/counters/numeric-rows.ts';
import { ItemEmbeddings } from '../features/item-embeddings.ts';
import { simScore } from '../features/sim-score.ts';
import { vector } from '../features/vector.ts';
import { baseColumns, DenseColumns, visualColumns } from './dense-columns.ts';
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
    const feature = simScore(data, { embeddings, clusters: [], semanticIds: [] });
    const [base, visual] = [baseColumns(data), visualColumns(feature)].map(
      (columns) => new DenseColumns(columns, trainRows),
    );
    for (const [columns, width, constant] of [
      [base!, 2, 1], // by construction
      [visual!, 8, 7], // something was comparable, always
    ] as const) {
      const out = new Float32Array(trainRows.length * width);
      columns.fill(trainRows, out);
      expect(columns.width).toBe(width);
      for (let column = 0; column < width; column++) {
        const [mean, deviation] = moments(out, width, column);
        expect(mean).toBeCloseTo(0, 4);
        expect(deviation).toBeCloseTo(column === constant ? 0 : 1, 4);
      }
    }
  });

  it('leave what has nothing to see at zero, and out of the statistics', () => {
    const { catalogue } = data;
    const half = catalogue.ids.filter((_, item) => item % 2 === 0);
    const vectors = half.flatMap((_, index) => (index % 3 === 0 ? [1, 0] : [0.6, 0.8]));
    const seeing = ItemEmbeddings.forCatalogue(catalogue, half, Float32Array.from(vectors));
    const columns = new DenseColumns(
      visualColumns(vector(data, { embeddings: seeing, clusters: [], semanticIds: [] })),
      trainRows,
    );
    const out = new Float32Array(trainRows.length * 2);
    columns.fill(trainRows, out);
    const absent = [...trainRows.keys()].filter((index) => data.exposures.item[trainRows[index]!]! % 2 === 1);
    expect(absent.length).toBeGreaterThan(500);
    expect(absent.every((index) => out[2 * index] === 0 && out[2 * index + 1] === 0)).toBe(true);
    const present = out.filter((_, place) => data.exposures.item[trainRows[place >> 1]!]! % 2 === 0);
    expect(moments(present, 2, 0)[0]).toBeCloseTo(0, 4);
    expect(moments(present, 2, 0)[1]).toBeCloseTo(1, 4);
  });

  it('have pieces that end at quantiles, each distinct value once where there are few, and none of a constant', () => {
    // 0, 0, 0, 0, 1, 2, 3, 4 again and again; three values; one value.
    const rows = Int32Array.from({ length: 80 }, (_, row) => row);
    const values = Float32Array.from([...rows].flatMap((row) => [Math.max(0, (row % 8) - 3), row % 3, 7]));
    const numeric = numericRows(['skewed', 'few', 'constant'], values);
    const exposures = { ...data.exposures, numeric };
    const columns = new DenseColumns(baseColumns({ ...data, exposures }), rows, 4);
    const { pieces, mean, scale } = columns;
    const endsOf = (column: number) =>
      Array.from({ length: 4 }, (_, piece) => {
        const [lower, share] = [pieces!.lower[4 * column + piece]!, pieces!.scale[4 * column + piece]!];
        const raw = (value: number) => Math.round(100 * (value / scale[column]! + mean[column]!)) / 100;
        return share === 0 ? null : [raw(lower), raw(lower + 1 / share)];
      });
    expect(endsOf(0)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    expect(endsOf(1)).toEqual([[0, 1], [1, 2], null, null]);
    expect(endsOf(2)).toEqual([null, null, null, null]);
  });

  it('take their statistics from the training exposures only', () => {
    const values = numbersOf(data.exposures);
    for (const row of rowsOfSplit(data, 'test')) values[row * 2] = 1e6;
    const numeric = numericRows(data.exposures.numeric.names, values);
    const shifted = { ...data, exposures: { ...data.exposures, numeric } };
    const [before, after] = [data, shifted].map((log) => {
      const out = new Float32Array(trainRows.length * 2);
      new DenseColumns(baseColumns(log), trainRows).fill(trainRows, out);
      return out;
    });
    expect(after).toEqual(before);
  });

  it('refuse a value that is not finite, naming the column', () => {
    const values = numbersOf(data.exposures);
    values[2 * 5] = Number.NaN;
    const numeric = numericRows(data.exposures.numeric.names, values);
    const broken = { ...data, exposures: { ...data.exposures, numeric } };
    expect(() => new DenseColumns(baseColumns(broken), trainRows)).toThrow(
      'noise of exposure 5 is not a finite',
    );
    const feature = {
      name: 'sight',
      groups: [2],
      codes: [],
      fillNearness: null,
      fill: (_: Int32Array, out: Float32Array) => out.fill(Number.POSITIVE_INFINITY, 1, 2),
    };
    expect(() => new DenseColumns(visualColumns(feature), trainRows)).toThrow('sight[1] of exposure 0');
  });

  it('may be none at all', () => {
    const columns = new DenseColumns(visualColumns(null), trainRows);
    expect(columns.width).toBe(0);
    columns.fill(trainRows, new Float32Array(0));
  });
});
