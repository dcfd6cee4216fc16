import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itemCodes, tinyLog } from '../../test/support/tiny-log.ts';
import { type FeatureData, NONE, pageViewOfRows } from '../data/dataset.ts';
import { type VisualFeature, widthOf } from '../data/visual-feature.ts';
import { attentionCosine } from './attention-cosine.ts';
import { clusterId } from './cluster-id.ts';
import type { VisualInputs } from './feature.ts';
import { createFeature, featureSet, featureSetText, visualFeatures } from './index.ts';
import { ItemEmbeddings } from './item-embeddings.ts';
import { simRetrieved } from './sim-retrieved.ts';
import { simScore } from './sim-score.ts';
import { simTier, tierOf, tiers } from './sim-tier.ts';
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

const { historyLength } = data.pageViews;

/** All that a feature writes for an exposure, dense values and nearness, as one row of numbers. */
function written(feature: VisualFeature, of: Int32Array, before = 0): Float32Array[] {
  const dense = new Float32Array(of.length * widthOf(feature)).fill(before);
  const near = new Float32Array(feature.fillNearness === null ? 0 : of.length * historyLength).fill(before);
  feature.fill(of, dense);
  feature.fillNearness?.(of, near);
  const [wide, places] = [dense.length / of.length, near.length / of.length];
  return Array.from(of, (_, index) =>
    Float32Array.of(
      ...dense.subarray(index * wide, (index + 1) * wide),
      ...near.subarray(index * places, (index + 1) * places),
    ),
  );
}

describe.each(Object.entries(visualFeatures))('the visual feature %s', (name, create) => {
  const feature = create(data, inputs);
  const width = widthOf(feature);

  it('has the name under which it is listed', () => {
    expect(feature.name).toBe(name);
  });

  it('has dense values, a code below its count for each item, or nearness to each history place', () => {
    const nearness = feature.fillNearness === null ? 0 : 1;
    expect(width + feature.codes.length + nearness).toBeGreaterThan(0);
    for (const { count, codes } of feature.codes) {
      expect(codes).toHaveLength(data.catalogue.ids.length);
      expect(codes.every((code) => code >= NONE && code < count)).toBe(true);
    }
  });

  it('fills every value, whatever was there', () => {
    const once = written(feature, rows);
    expect(written(feature, rows, Number.NaN)).toEqual(once);
    expect(once.every((values) => values.every(Number.isFinite))).toBe(true);
  });

  it('gives an exposure the same values alone as among others', () => {
    const all = written(feature, rows);
    for (const [index, row] of rows.entries())
      expect(written(feature, Int32Array.of(row))).toEqual([all[index]]);
  });

  it('leaves what lies behind its rows untouched', () => {
    const out = new Float32Array((rows.length + 1) * width).fill(7);
    feature.fill(rows, out);
    expect(out.subarray(rows.length * width).every((value) => value === 7)).toBe(true);
    const near = new Float32Array((rows.length + 1) * historyLength).fill(7);
    feature.fillNearness?.(rows, near);
    expect(near.subarray(rows.length * historyLength).every((value) => value === 7)).toBe(true);
  });

  it('is zero for a candidate without a photo', () => {
    const without = create(data, blind());
    expect(written(without, rows, 1).every((values) => values.every((value) => value === 0))).toBe(true);
    expect(without.codes.every(({ codes }) => codes.every((code) => code === NONE))).toBe(true);
  });

  it('does not depend on the labels', () => {
    const { exposures } = data;
    const flipped = { ...data, exposures: { ...exposures, clicked: exposures.clicked.map((y) => 1 - y) } };
    const [one, other] = [data, flipped].map((log) => {
      const created = create(log, inputs);
      return [written(created, rows), created.codes];
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
  it('has tiers of width 0.1 that hold their upper end, one for −1, and one for what rounding puts beyond 1', () => {
    const cosines = [-1, -0.95, -0.9, -0.85, -0.05, 0, 0.05, 0.1, 0.55, 0.6, 0.65, 0.95, 1, 1 + 1e-6];
    expect(cosines.map(tierOf)).toEqual([0, 1, 1, 2, 10, 10, 11, 11, 16, 16, 17, 20, 20, 21]);
    for (let tier = 0; tier < tiers - 1; tier++) expect(tierOf((tier - 10) / 10)).toBe(tier);
  });

  it('has log(1 + count) of the history of the page view, then of the clicks of the user before it', () => {
    const log = oneView([1, 2, 2, 0, 0, 0, 3, NONE]);
    const clicks = {
      user: new Int32Array(5),
      item: Int32Array.of(1, 3, 0, 2, 1),
      time: Float64Array.of(...[-3, -2, -1, 0, 1].map((step) => data.pageViews.time[0]! + step)),
    };
    const out = new Float32Array(2 * tiers);
    simTier({ ...log, clicks }, seeing(four)).fill(Int32Array.of(0), out);
    const expected = new Float32Array(2 * tiers);
    // Cosine 0.6 falls into (0.5, 0.6], 0 into (−0.1, 0]; the candidate itself is not compared, nor what has no photo.
    expected[16] = Math.log1p(1);
    expected[10] = Math.log1p(2);
    // Of a long history an item counts once, however often it was clicked.
    expected[tiers + 16] = Math.log1p(1);
    expected[tiers + 10] = Math.log1p(1);
    expect(out).toEqual(expected);
  });
});

/** One user's page view of item 0 at time 1000, before which she clicked these other items, the first of them first. */
function afterClicks(items: readonly number[], vectors: Float32Array) {
  const ids = Array.from({ length: 1 + Math.max(0, ...items) }, (_, item) => `${item}`);
  const log: FeatureData = {
    catalogue: { ids, photo: Int32Array.from(ids.keys()), titles: [], categories: [] },
    pageViews: {
      user: Int32Array.of(0),
      time: Float64Array.of(2000),
      split: new Uint8Array(1),
      start: Int32Array.of(0, 1),
      history: Int32Array.of(NONE),
      historyLength: 1,
    },
    exposures: { ...data.exposures, item: Int32Array.of(0) },
    clicks: {
      user: new Int32Array(items.length),
      item: Int32Array.from(items),
      time: Float64Array.from(items.keys()),
    },
  };
  return {
    log,
    embeddings: ItemEmbeddings.forCatalogue(log.catalogue, ids, vectors.slice(0, 2 * ids.length)),
  };
}

describe('the retrieved part', () => {
  const vectors = Float32Array.from({ length: 2 * 1200 }, (_, at) => {
    const angle = (at >> 1) * 2.399;
    return at % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });

  it('is the 50 most similar of the newest 1,000 clicks, as a loop over all of them finds it', () => {
    const clicked = fc.array(fc.integer({ min: 1, max: 1199 }), { maxLength: 1500 });
    fc.assert(
      fc.property(clicked, (items) => {
        const { log, embeddings: all } = afterClicks(items, vectors);
        const out = new Float32Array(7);
        simRetrieved(log, seeing(all)).fill(Int32Array.of(0), out);
        const newest = [...new Set([...items].reverse())].slice(0, 1000);
        const cosines = newest
          .map((item) => all.cosine(0, item))
          .sort((a, b) => b - a)
          .slice(0, 50);
        const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
        const first = Array.from({ length: 5 }, (_, place) => cosines[place] ?? 0);
        const expected = cosines.length === 0 ? new Array(7).fill(0) : [...first, mean, 1];
        for (const [place, value] of expected.entries()) expect(out[place]).toBeCloseTo(value, 5);
        const counts = new Float32Array(2 * tiers);
        simTier(log, seeing(all)).fill(Int32Array.of(0), counts);
        const told = counts.subarray(tiers).reduce((sum, value) => sum + Math.expm1(value), 0);
        expect(told).toBeCloseTo(cosines.length, 3);
      }),
      { numRuns: 20, examples: [[Array.from({ length: 1100 }, (_, item) => 1 + item)]] },
    );
  });
});

describe('nearness for attention', () => {
  it('is 1 + cosine at each place, 0 where there is nothing to compare or the photo is the same', () => {
    const near = (history: number[], candidate: number) => {
      const out = new Float32Array(history.length).fill(7);
      attentionCosine(oneView(history), seeing(four)).fillNearness?.(Int32Array.of(candidate), out);
      return [...out].map((value) => Number(value.toFixed(6)));
    };
    expect(near([1, 2, 0, 3, NONE], 0)).toEqual([1.6, 1, 0, 0, 0]);
    expect(near([1, 2, NONE], 3)).toEqual([0, 0, 0]);
  });

  it('is never negative, whatever rounding does to opposite vectors', () => {
    // 0.6 and 0.8 in float32 are a little more.
    const opposite = ItemEmbeddings.forCatalogue(
      { ids: ['a', 'b'] },
      ['a', 'b'],
      Float32Array.of(0.6, 0.8, -0.6, -0.8),
    );
    expect(opposite.cosine(0, 1)).toBeLessThan(-1);
    const out = Float32Array.of(7);
    attentionCosine(oneView([1]), seeing(opposite)).fillNearness?.(Int32Array.of(0), out);
    expect([...out]).toEqual([0]);
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

  it('tells nearness where one of them does, and else not', () => {
    const setOf = (text: string) => createFeature(featureSet(text), data, inputs);
    const near = ['vector+attention-cosine', 'attention-cosine'].map((text) => {
      const out = new Float32Array(rows.length * historyLength);
      setOf(text).fillNearness?.(rows, out);
      return out;
    });
    expect(near[0]).toEqual(near[1]);
    expect(near[0]!.some((value) => value > 1.5)).toBe(true);
    expect(setOf('vector+sim-tier').fillNearness).toBeNull();
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
