import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { CentreSearch } from './centre-search.ts';

const width = 8;

function draw(seed: number, count: number): Float32Array {
  const random = Random.seeded(seed, 'search');
  return Float32Array.from({ length: count * width }, () => random.normal());
}

describe('the search for the nearest centre', async () => {
  const search = await CentreSearch.open(width);
  afterAll(() => search.close());

  async function find(values: Float32Array) {
    const count = values.length / width;
    const read = (from: number, to: number) => values.slice(from * width, to * width);
    const nearest: number[] = [];
    const product: number[] = [];
    for await (const chunk of search.find({ count, read, squaredLength: () => 1 })) {
      nearest.push(...chunk.nearest);
      product.push(...chunk.product);
    }
    return { nearest, product };
  }

  it.each([1, 31, 32, 33, 70])('finds among %i centres what comparing with each of them finds', async (k) => {
    const [rows, centres] = [draw(1, 500), draw(2, k)];
    await search.setCentres(centres);
    const found = await find(rows);
    for (let row = 0; row < 500; row++) {
      const products = Array.from({ length: k }, (_, centre) => {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += rows[row * width + i]! * centres[centre * width + i]!;
        return sum;
      });
      const best = Math.max(...products);
      expect(found.product[row]).toBeCloseTo(best, 4);
      expect(products[found.nearest[row]!]).toBeCloseTo(best, 4);
    }
  });

  it('takes the first of equal centres, wherever they stand', async () => {
    const centres = draw(3, 50);
    for (const copy of [5, 31, 32, 49]) centres.copyWithin(copy * width, 2 * width, 3 * width);
    await search.setCentres(centres);
    const { nearest } = await find(draw(4, 500));
    expect(nearest).toContain(2);
    for (const copy of [5, 31, 32, 49]) expect(nearest).not.toContain(copy);
  });
});
