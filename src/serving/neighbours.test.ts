import { describe, expect, it } from 'vitest';
import { NONE } from '../data/dataset.ts';
import { Random } from '../random.ts';
import { openNeighbours, type Searched } from './neighbours.ts';

const [dimension, count] = [16, 3000];

/** Random directions, of which every seventh is not there. */
function catalogue() {
  const random = Random.seeded(1, 'neighbours');
  const vectors = new Float32Array(count * dimension);
  const present = Uint8Array.from({ length: count }, (_, item) => (item % 7 === 0 ? 0 : 1));
  for (let item = 0; item < count; item++) {
    const values = Array.from({ length: dimension }, () => random.normal());
    if (present[item] === 1)
      vectors.set(
        values.map((value) => value / Math.hypot(...values)),
        item * dimension,
      );
  }
  const vectorOf = (item: number) => vectors.subarray(item * dimension, (item + 1) * dimension);
  return { dimension, vectors, present, vectorOf, ids: { length: count } } satisfies Searched;
}

function sorted(searched: Searched, query: Float32Array, most: number, but: number): readonly number[] {
  const cosines = Array.from({ length: count }, (_, item) => {
    const own = searched.vectorOf(item);
    return own.reduce((sum, value, place) => sum + value * query[place]!, 0);
  });
  return [...cosines.keys()]
    .filter((item) => searched.present[item] === 1 && item !== but)
    .sort((a, b) => cosines[b]! - cosines[a]!)
    .slice(0, most);
}

describe('neighbours', () => {
  it('are the largest cosines where all are compared', async () => {
    const searched = catalogue();
    const neighbours = await openNeighbours(searched);
    expect(neighbours.kind).toBe('exact');
    for (const item of [1, 2, 3, 2999]) {
      const found = await neighbours.nearest(searched.vectorOf(item), 10, item);
      expect(found.map((each) => each.item)).toEqual(sorted(searched, searched.vectorOf(item), 10, item));
    }
    expect(await neighbours.nearest(searched.vectorOf(1), 5000, NONE)).toHaveLength(2571);
  });

  it('are nearly all of them in a graph, which forgets and learns items', async () => {
    const searched = catalogue();
    const neighbours = await openNeighbours(searched, undefined, 100);
    expect(neighbours.kind).toBe('hnsw');
    let [hits, all] = [0, 0];
    for (let item = 1; item < count; item += 50) {
      if (searched.present[item] === 0) continue;
      const wanted = new Set(sorted(searched, searched.vectorOf(item), 10, item));
      const found = await neighbours.nearest(searched.vectorOf(item), 10, item);
      expect(found.every((each, place) => place === 0 || each.cosine <= found[place - 1]!.cosine)).toBe(true);
      hits += found.filter((each) => wanted.has(each.item)).length;
      all += 10;
    }
    expect(hits / all).toBeGreaterThan(0.98);
    // Item 1 goes, item 7 comes in its place.
    const query = searched.vectorOf(1).slice();
    searched.vectors.copyWithin(7 * dimension, dimension, 2 * dimension);
    [searched.present[7], searched.present[1]] = [1, 0];
    neighbours.update(7);
    neighbours.update(1);
    expect((await neighbours.nearest(query, 1, NONE))[0]?.item).toBe(7);
  });
});
