import { describe, expect, it } from 'vitest';
import { itemCodes, tinyLog } from '../../test/support/tiny-log.ts';
import { type FeatureData, NONE, pageViewOfRows } from '../data/dataset.ts';
import { widthOf } from '../data/visual-feature.ts';
import { clusterId } from './cluster-id.ts';
import type { VisualInputs } from './feature.ts';
import { createFeature, featureSet, featureSetText, visualFeatures } from './index.ts';
import { ItemEmbeddings } from './item-embeddings.ts';
import { simScore } from './sim-score.ts';
import { simTier } from './sim-tier.ts';
import { vector } from './vector.ts';

const { data, embeddings } = tinyLog();
const inputs: VisualInputs = {
  embeddings,
  clusters: [itemCodes('cluster_4', 4, data), itemCodes('cluster_9', 9, data)],
  semanticIds: [itemCodes('semantic_1', 3, data)],
};

/** Nobody has a photo. */
function blind(): VisualInputs {
  const { ids } = data.catalogue;
  const none = ids.map(() => NONE);
  const without = (codes: (typeof inputs)['clusters']) =>
    codes.map((each) => ({ ...each, codes: Int32Array.from(none) }));
  return {
    embeddings: ItemEmbeddings.forCatalogue(data.catalogue, ids, new Float32Array(ids.length * 6)),
    clusters: without(inputs.clusters),
    semanticIds: without(inputs.semanticIds),
  };
}
const rows = Int32Array.of(17, 3, 400, 3, 5199);

describe.each(Object.entries(visualFeatures))('the visual feature %s', (name, create) => {
  const feature = create(data, inputs);
  const width = widthOf(feature);

  it('has the name under which it is listed', () => {
    expect(feature.name).toBe(name);
  });

  it('has dense values, or a code below its count for each item, or both', () => {
    expect(width + feature.codes.length).toBeGreaterThan(0);
    for (const { count, codes } of feature.codes) {
      expect(codes).toHaveLength(data.catalogue.ids.length);
      expect(codes.every((code) => code >= NONE && code < count)).toBe(true);
    }
  });

  it('fills every value, whatever was there', () => {
    const [once, again] = [0, Number.NaN].map((before) => {
      const out = new Float32Array(rows.length * width).fill(before);
      feature.fill(rows, out);
      return out;
    });
    expect(again).toEqual(once);
    expect(once?.every(Number.isFinite)).toBe(true);
  });

  it('gives an exposure the same values alone as among others', () => {
    const all = new Float32Array(rows.length * width);
    feature.fill(rows, all);
    for (const [index, row] of rows.entries()) {
      const alone = new Float32Array(width);
      feature.fill(Int32Array.of(row), alone);
      expect(alone).toEqual(all.subarray(index * width, (index + 1) * width));
    }
  });

  it('leaves what lies behind its rows untouched', () => {
    const out = new Float32Array((rows.length + 1) * width).fill(7);
    feature.fill(rows, out);
    expect(out.subarray(rows.length * width).every((value) => value === 7)).toBe(true);
  });

  it('is zero for a candidate without a photo', () => {
    const out = new Float32Array(rows.length * width).fill(1);
    const without = create(data, blind());
    without.fill(rows, out);
    expect(out.every((value) => value === 0)).toBe(true);
    expect(without.codes.every(({ codes }) => codes.every((code) => code === NONE))).toBe(true);
  });

  it('does not depend on the labels', () => {
    const { exposures } = data;
    const flipped = { ...data, exposures: { ...exposures, clicked: exposures.clicked.map((y) => 1 - y) } };
    const [one, other] = [data, flipped].map((log) => {
      const out = new Float32Array(rows.length * width);
      const created = create(log, inputs);
      created.fill(rows, out);
      return [out, created.codes];
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

function seeing(each: ItemEmbeddings): VisualInputs {
  return { embeddings: each, clusters: [], semanticIds: [] };
}

function scoresOf(history: number[], candidate: number): number[] {
  const out = new Float32Array(8);
  simScore(oneView(history), seeing(four)).fill(Int32Array.of(candidate), out);
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
    expect(scoresOf([2, 2, 2, 2, 2, 1], 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it("takes a candidate's own photo in the history, or a copy of it, for no evidence", () => {
    expect(scoresOf([0, 1, NONE], 0)).toEqual([0, 0.6, 0, 0, 0, 0.6, 0.6, 1]);
    expect(scoresOf([0, NONE], 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    const copies = { ...oneView([1, 2]), catalogue: { ...data.catalogue, photo: Int32Array.of(5, 5, 6) } };
    const out = new Float32Array(8);
    simScore(copies, seeing(four)).fill(Int32Array.of(0), out);
    expect([...out]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('is all zero without anything to compare', () => {
    expect(scoresOf([3, NONE], 0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(scoresOf([0, 1], 3)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('keeps a negative maximum', () => {
    const opposite = ItemEmbeddings.forCatalogue({ ids: ['a', 'b'] }, ['a', 'b'], Float32Array.of(1, -1));
    const out = new Float32Array(8);
    simScore(oneView([1]), seeing(opposite)).fill(Int32Array.of(0), out);
    expect([...out]).toEqual([-1, 0, 0, 0, 0, -1, -1, 1]);
  });
});

describe('SimTier', () => {
  it('counts the clicks of the whole history by their cosine with the candidate', () => {
    const out = new Float32Array(20);
    simTier(oneView([1, 2, 2, 0, 0, 0, 3, NONE]), seeing(four)).fill(Int32Array.of(0), out);
    // Cosine 0.6 falls into [0.6, 0.7), 0 into [0, 0.1); the candidate itself is not compared.
    const expected = new Float32Array(20);
    expected[16] = 1;
    expected[10] = 2;
    expect(out).toEqual(expected);
  });
});

describe('the cluster id', () => {
  it('tells whether and how often the cluster of the candidate is in the history, beside the ids', () => {
    const codes = { name: 'cluster_2', count: 2, codes: Int32Array.of(1, 1, 0, NONE) };
    const valuesOf = (history: number[]) => {
      const out = new Float32Array(4 * 3);
      const feature = clusterId(oneView(history), { embeddings: four, clusters: [codes], semanticIds: [] });
      feature.fill(Int32Array.of(0, 1, 2, 3), out);
      return [0, 3, 6, 9].map((from) => [...out.subarray(from, from + 3)]);
    };
    const [once, twice] = [1, 2].map((times) => Math.fround(Math.log1p(times)));
    expect(valuesOf([0, 1, 2, 3, NONE])).toEqual([
      [1, once, 1],
      [1, once, 1],
      [0, 0, 1],
      [0, 0, 0],
    ]);
    expect(valuesOf([1, 0, 2])[0]).toEqual([1, once, 1]);
    expect(valuesOf([1, 1])[0]).toEqual([1, twice, 1]);
    expect(valuesOf([2])[0]).toEqual([0, 0, 1]);
    expect(valuesOf([3])[0]).toEqual([0, 0, 0]);
  });
});

describe('a set of features', () => {
  it('puts the dense values side by side and takes the codes of all', () => {
    const set = createFeature(featureSet('sim-score+vector+cluster-id'), data, inputs);
    expect(set.name).toBe('sim-score+vector+cluster-id');
    expect(set.groups).toEqual([8, 6, 3, 3]);
    expect(set.codes.map(({ name }) => name)).toEqual(['cluster_4', 'cluster_9']);
    const [both, score, seen] = [20, 8, 6].map((width) => new Float32Array(rows.length * width));
    set.fill(rows, both!);
    simScore(data, inputs).fill(rows, score!);
    vector(data, inputs).fill(rows, seen!);
    for (const index of rows.keys()) {
      const own = [...score!.subarray(index * 8, index * 8 + 8), ...seen!.subarray(index * 6, index * 6 + 6)];
      expect([...both!.subarray(index * 20, index * 20 + 14)]).toEqual(own);
    }
  });

  it('is refused with a feature that does not exist, or twice the same', () => {
    for (const text of ['', 'sim-score+', 'looks', 'vector+vector', 'none+vector']) {
      expect(featureSetText.safeParse(text).success).toBe(false);
    }
    expect(featureSetText.safeParse('sim-tier+semantic-id').success).toBe(true);
  });
});

describe('the vector', () => {
  it("is the candidate's embedding", () => {
    const out = new Float32Array(4);
    vector(oneView([0]), seeing(four)).fill(Int32Array.of(1, 2), out);
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
