import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auc } from './auc.ts';
import { measure } from './measured.ts';
import {
  categorySlices,
  itemHistorySlices,
  popularitySlices,
  rowsOfSlice,
  type Slice,
  userHistorySlices,
  userItemSlices,
} from './slices.ts';

const named = (slices: readonly Slice[]) =>
  Object.fromEntries(slices.map(({ name, rows }) => [name, Array.from(rows)]));

describe('slices', () => {
  it('tell cold items from warm ones, and new users from returning ones', () => {
    expect(named(itemHistorySlices(Uint8Array.of(0, 1, 0)))).toEqual({ cold: [1], warm: [0, 2] });
    expect(named(userHistorySlices(Float32Array.of(0, Math.log1p(1), 3)))).toEqual({
      new: [0],
      returning: [1, 2],
    });
  });

  it('tell what the user has seen before from what not', () => {
    expect(named(userItemSlices(Uint8Array.of(0, 1, 0)))).toEqual({
      'seen before': [1],
      'not seen before': [0, 2],
    });
  });

  it('take the most frequent values of a category, the earlier code first, and the rest as other', () => {
    const values = ['unknown', 'shoe', 'dress', 'hat', 'bag', 'sock'];
    const codes = Int32Array.of(3, 2, 2, 1, 3, 0, 4);
    const slices = categorySlices('type', values, codes, 2);
    expect(slices.map(({ family, name, rows }) => [family, name, Array.from(rows)])).toEqual([
      ['category type', 'dress', [1, 2]],
      ['category type', 'hat', [0, 4]],
      ['category type', 'other (3 values)', [3, 5, 6]],
    ]);
    expect(named(categorySlices('type', values, codes, 4))).toHaveProperty('other (1 value)', [6]);
    expect(Object.keys(named(categorySlices('type', values, codes, 5)))).toEqual([
      'dress',
      'hat',
      'unknown',
      'shoe',
      'bag',
    ]);
  });

  it('cut popularity into tenths of the rows, equally popular ones kept together', () => {
    const clicks = Float64Array.from({ length: 20 }, (_, row) => (row % 2 === 0 ? 0 : row));
    const slices = popularitySlices(clicks);
    expect(slices.map(({ name }) => name)).toEqual(['1–5', '6', '7', '8', '9', '10']);
    expect(Array.from(slices[0]?.rows ?? [])).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect(Array.from(slices[5]?.rows ?? [])).toEqual([17, 19]);
  });

  it('of a family hold every row once, in ascending order', () => {
    const column = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 40 });
    fc.assert(
      fc.property(column, fc.integer({ min: 1, max: 6 }), (column, most) => {
        const values = Array.from({ length: 6 }, (_, code) => `value ${code}`);
        for (const slices of [
          itemHistorySlices(column.map((value) => Math.min(value, 1))),
          userHistorySlices(column),
          userItemSlices(column),
          popularitySlices(Float32Array.from(column)),
          categorySlices('type', values, Int32Array.from(column), most),
        ]) {
          for (const { rows } of slices) expect(rows).toEqual(rows.toSorted());
          const all = slices.flatMap(({ rows }) => Array.from(rows)).sort((a, b) => a - b);
          expect(all).toEqual(Array.from(column.keys()));
        }
      }),
    );
  });

  it('refuse values that are not counts and codes that have no value', () => {
    const invalid = expect.objectContaining({ code: 'VALUE_INVALID' });
    expect(() => itemHistorySlices(Float32Array.of(0, NaN))).toThrow('the cold items in row 1 are NaN');
    expect(() => userHistorySlices(Float32Array.of(-1))).toThrow(invalid);
    expect(() => popularitySlices(Float32Array.of(NaN))).toThrow(invalid);
    expect(() => categorySlices('type', ['unknown'], Int32Array.of(1))).toThrow(
      'code 1 of type has no value',
    );
  });
});

describe('a metric on a slice', () => {
  const rows = {
    scores: Float32Array.of(0.9, 0.1, 0.5, 0.4),
    labels: Uint8Array.of(1, 0, 0, 0),
    users: Int32Array.of(1, 1, 2, 2),
    pageViews: Int32Array.of(5, 5, 6, 6),
  };

  it('sees the rows of the slice and no others', () => {
    const [odd] = userHistorySlices(Uint8Array.of(1, 0, 1, 0));
    if (odd === undefined) throw new Error('no slice');
    expect(rowsOfSlice(rows, odd)).toEqual({
      scores: Float32Array.of(0.1, 0.4),
      labels: Uint8Array.of(0, 0),
      users: Int32Array.of(1, 2),
      pageViews: Int32Array.of(5, 6),
    });
  });

  it('is a gap with a reason where the slice holds one class or no rows', () => {
    const [cold, warm] = itemHistorySlices(Uint8Array.of(0, 0, 0, 0)).map((slice) => {
      const { scores, labels } = rowsOfSlice(rows, slice);
      return measure(() => auc(scores, labels));
    });
    expect(cold).toEqual({ kind: 'undefined', why: 'AUC is undefined: there are no rows.' });
    expect(warm).toEqual({ kind: 'value', value: 1 });
  });

  it('cannot be taken with the slices of other rows', () => {
    const [, warm] = itemHistorySlices(new Uint8Array(9));
    if (warm === undefined) throw new Error('no slice');
    expect(() => rowsOfSlice(rows, warm)).toThrow('no row 4 among 4');
  });
});
