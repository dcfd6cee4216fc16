import { describe, expect, it } from 'vitest';
import { Truth, type TruthFile } from '../shop/truth.ts';
import { checkAttention } from './index.ts';

describe('the attention check', () => {
  const click = (item: string, time: number, taste: number | null) => ({
    pageView: `v${time}`,
    user: 'u',
    time,
    item,
    taste,
  });
  const truth = new Truth({
    format: 'courier-shop-truth-1',
    tastes: [],
    items: [],
    clicks: [click('a', 1, 0), click('b', 2, 1), click('c', 3, 0), click('d', 4, null), click('e', 5, 1)],
  } satisfies TruthFile);
  const dataset = {
    catalogue: { ids: ['a', 'b', 'c', 'd', 'e'], photo: new Int32Array(5), titles: [], categories: [] },
    users: ['u'],
    pageViews: {
      user: Int32Array.of(0, 0, 0),
      time: Float64Array.of(3, 4, 5),
      split: new Uint8Array(3),
      start: Int32Array.of(0, 1, 2, 3),
      history: new Int32Array(),
      historyLength: 0,
    },
  };
  const history = (...weights: [number, number][]) =>
    weights.map(([item, weight]) => ({ item, weight, cosine: 0 }));

  it('counts a hit where the heaviest earlier click was made for the same taste, chance as its share', () => {
    const attended = [
      { pageView: 0, item: 2, history: history([1, 0.4], [0, 0.6]) },
      { pageView: 2, item: 4, history: history([3, 0.1], [2, 0.7], [1, 0.2]) },
    ];
    expect(checkAttention(attended, dataset, truth)).toEqual({
      clicks: 2,
      hitRate: 0.5,
      chance: (1 / 2 + 1 / 3) / 2,
    });
  });

  it('leaves out clicks without a taste, and histories in which all or none share it', () => {
    const attended = [
      { pageView: 1, item: 3, history: history([2, 1]) },
      { pageView: 0, item: 2, history: history([0, 1]) },
    ];
    expect(checkAttention(attended, dataset, truth)).toBeNull();
  });
});
