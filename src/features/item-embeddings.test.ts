import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ItemEmbeddings } from './item-embeddings.ts';

const catalogue = { ids: ['a', 'b', 'c'] };

function rejected(ids: string[], vectors: number[]): unknown {
  try {
    return ItemEmbeddings.forCatalogue(catalogue, ids, Float32Array.from(vectors));
  } catch (error) {
    return error;
  }
}

describe('item embeddings', () => {
  it('follow the item id, whatever the order of the rows', () => {
    const unit = new Map([
      ['a', [1, 0]],
      ['b', [0, 1]],
      ['c', [0, -1]],
    ]);
    fc.assert(
      fc.property(fc.shuffledSubarray(['a', 'b', 'c'], { minLength: 1 }), (ids) => {
        const vectors = Float32Array.from(ids.flatMap((id) => unit.get(id) ?? []));
        const embeddings = ItemEmbeddings.forCatalogue(catalogue, ids, vectors);
        for (const [item, id] of catalogue.ids.entries()) {
          const expected = ids.includes(id) ? unit.get(id) : [0, 0];
          expect([...embeddings.vectors.subarray(item * 2, item * 2 + 2)]).toEqual(expected);
          expect(embeddings.present[item]).toBe(ids.includes(id) ? 1 : 0);
        }
        expect(embeddings.missing).toBe(3 - ids.length);
      }),
    );
  });

  it('are no copy where every row is in its place already', () => {
    const vectors = Float32Array.of(1, 0, 0, 0, 0, -1);
    const embeddings = ItemEmbeddings.forCatalogue(catalogue, catalogue.ids, vectors);
    expect(embeddings.vectors).toBe(vectors);
    expect([...embeddings.present]).toEqual([1, 0, 1]);
  });

  it('count items with a zero row as missing, and ids that the catalogue does not have as unknown', () => {
    const vectors = Float32Array.of(0, 0, 1, 0, 0, 1);
    const embeddings = ItemEmbeddings.forCatalogue(catalogue, ['a', 'b', 'elsewhere'], vectors);
    expect([embeddings.missing, embeddings.unknown]).toEqual([2, 1]);
  });

  it('give the cosine of two items, 0 when one has no embedding', () => {
    const vectors = Float32Array.of(0.6, 0.8, 1, 0);
    const embeddings = ItemEmbeddings.forCatalogue(catalogue, ['a', 'c'], vectors);
    expect(embeddings.cosine(0, 2)).toBeCloseTo(0.6, 6);
    expect(embeddings.cosine(0, 1)).toBe(0);
  });

  it('give the cosine of embeddings that a file in float16 left a little shorter or longer', () => {
    const vectors = Float32Array.of(0.5994, 0.7992, 0.6012, 0.8016);
    const embeddings = ItemEmbeddings.forCatalogue(catalogue, ['a', 'c'], vectors);
    expect(embeddings.cosine(0, 0)).toBeCloseTo(1, 6);
    expect(embeddings.cosine(0, 2)).toBeCloseTo(1, 6);
  });

  it.each([
    ['a value that is not finite', ['a', 'b'], [1, 0, Number.NaN, 0], 'item b is not finite'],
    ['two rows for one item', ['a', 'a'], [1, 0, 1, 0], 'item a has two embeddings'],
    ['values that do not fill the rows', ['a', 'b'], [1, 0, 1], '3 values for 2 items'],
    ['no item at all', [], [], '0 values for 0 items'],
  ])('refuse %s', (_, ids, vectors, problem) => {
    expect(rejected(ids, vectors)).toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringContaining(problem),
    });
  });
});
