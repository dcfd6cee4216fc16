import { describe, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { NONE } from '../data/dataset.ts';
import { type FeatureData, pageViewOfRows } from './feature.ts';
import { visualFeatures } from './index.ts';
import { ItemEmbeddings } from './item-embeddings.ts';
import { simScore } from './sim-score.ts';
import { vector } from './vector.ts';

const { data, embeddings } = tinyLog();
const rows = Int32Array.of(17, 3, 400, 3, 5199);

describe.each(Object.entries(visualFeatures))('the visual feature %s', (name, create) => {
  const feature = create(data, embeddings);

  it('has the name under which it is listed', () => {
    expect(feature.name).toBe(name);
  });

  it('fills every value, whatever was there', () => {
    const [once, again] = [0, Number.NaN].map((before) => {
      const out = new Float32Array(rows.length * feature.width).fill(before);
      feature.fill(rows, out);
      return out;
    });
    expect(again).toEqual(once);
    expect(once?.every(Number.isFinite)).toBe(true);
  });

  it('gives an exposure the same values alone as among others', () => {
    const all = new Float32Array(rows.length * feature.width);
    feature.fill(rows, all);
    for (const [index, row] of rows.entries()) {
      const alone = new Float32Array(feature.width);
      feature.fill(Int32Array.of(row), alone);
      expect(alone).toEqual(all.subarray(index * feature.width, (index + 1) * feature.width));
    }
  });

  it('leaves what lies behind its rows untouched', () => {
    const out = new Float32Array((rows.length + 1) * feature.width).fill(7);
    feature.fill(rows, out);
    expect(out.subarray(rows.length * feature.width).every((value) => value === 7)).toBe(true);
  });

  it('is zero for a candidate without a photo', () => {
    const { ids } = data.catalogue;
    const none = ItemEmbeddings.forCatalogue(data.catalogue, ids, new Float32Array(ids.length * 6));
    const out = new Float32Array(rows.length * feature.width).fill(1);
    create(data, none).fill(rows, out);
    expect(out.every((value) => value === 0)).toBe(true);
  });

  it('does not depend on the labels', () => {
    const { exposures } = data;
    const flipped = { ...data, exposures: { ...exposures, clicked: exposures.clicked.map((y) => 1 - y) } };
    const [one, other] = [data, flipped].map((log) => {
      const out = new Float32Array(rows.length * feature.width);
      create(log, embeddings).fill(rows, out);
      return out;
    });
    expect(other).toEqual(one);
  });
});

/** One page view of the items 0 … 3 with the given history; item 3 has no photo. */
function oneView(history: number[]): FeatureData {
  return {
    ...data,
    pageViews: {
      ...data.pageViews,
      user: Int32Array.of(0),
      start: Int32Array.of(0, 4),
      history: Int32Array.from(history),
      historyLength: history.length,
    },
    exposures: { ...data.exposures, item: Int32Array.of(0, 1, 2, 3) },
  };
}

const four = ItemEmbeddings.forCatalogue(
  { ids: ['a', 'b', 'c', 'd'] },
  ['a', 'b', 'c'],
  Float32Array.of(1, 0, 0.6, 0.8, 0, 1),
);

function scoresOf(history: number[], candidate: number): number[] {
  const out = new Float32Array(8);
  simScore(oneView(history), four).fill(Int32Array.of(candidate), out);
  return [...out].map((value) => Number(value.toFixed(6)));
}

describe('the SimScore', () => {
  it('is the cosine with each history item, newest first, then maximum, mean and whether there is any', () => {
    expect(scoresOf([1, 2, NONE], 0)).toEqual([0.6, 0, 0, 0, 0, 0.6, 0.3, 1]);
  });

  it('skips history items without a photo but keeps the places of the others', () => {
    expect(scoresOf([3, 1, NONE], 2)).toEqual([0, 0.8, 0, 0, 0, 0.8, 0.8, 1]);
  });

  it('compares with the 5 newest only', () => {
    expect(scoresOf([2, 2, 2, 2, 2, 0], 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('is all zero without anything to compare', () => {
    expect(scoresOf([3, NONE], 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(scoresOf([0, 1], 3)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('keeps a negative maximum', () => {
    const opposite = ItemEmbeddings.forCatalogue({ ids: ['a', 'b'] }, ['a', 'b'], Float32Array.of(1, -1));
    const out = new Float32Array(8);
    simScore(oneView([1]), opposite).fill(Int32Array.of(0), out);
    expect([...out]).toEqual([-1, 0, 0, 0, 0, -1, -1, 1]);
  });
});

describe('the vector', () => {
  it("is the candidate's embedding", () => {
    const out = new Float32Array(4);
    vector(oneView([0]), four).fill(Int32Array.of(1, 2), out);
    expect(out).toEqual(Float32Array.of(0.6, 0.8, 0, 1));
  });
});

describe('the page view of an exposure', () => {
  it('is the one whose range holds it', () => {
    const pageViewOf = pageViewOfRows(data);
    const { start } = data.pageViews;
    for (const [row, pageView] of pageViewOf.entries()) {
      expect(row >= start[pageView]! && row < start[pageView + 1]!).toBe(true);
    }
  });
});
