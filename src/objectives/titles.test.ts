import { describe, expect, it } from 'vitest';
import { NONE } from '../data/dataset.ts';
import { longestTitle, titlesOf } from './titles.ts';

const catalogue = (titles: readonly (string | null)[]) => ({
  titles,
  photo: Int32Array.from(titles, (_, index) => index),
});
const all = (count: number) => Int32Array.from({ length: count }, (_, index) => index);

describe('titles', () => {
  it('are the words that at least two photos share, without regard to case and marks between words', () => {
    const { words, byPhoto } = titlesOf(catalogue(['Red Dress', 'RED-dress, long', 'blue']), all(3));
    expect(words).toBe(2);
    expect([...byPhoto.keys()]).toEqual([0, 1]);
    expect(byPhoto.get(0)).toEqual(byPhoto.get(1));
  });

  it('number the frequent words first, equally frequent ones by the alphabet', () => {
    const { byPhoto } = titlesOf(catalogue(['b a c', 'c b a', 'c']), all(3));
    expect([...byPhoto.get(0)!]).toEqual([2, 1, 0]);
  });

  it('give photos of the same words one identity, others another', () => {
    const { identityOf } = titlesOf(catalogue(['a b', 'a b', 'b a', 'a']), all(4));
    expect(identityOf.get(0)).toBe(identityOf.get(1));
    expect(new Set(identityOf.values()).size).toBe(3);
  });

  it('look at nothing but the given photos, and skip items without photo or title', () => {
    const shop = { titles: ['a', 'a', 'z', 'z', null], photo: Int32Array.of(0, 1, 2, NONE, 4) };
    const { words, byPhoto } = titlesOf(shop, Int32Array.of(0, 1, 4));
    expect(words).toBe(1);
    expect([...byPhoto.keys()]).toEqual([0, 1]);
  });

  it('are cut where they are long', () => {
    const long = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
    const { byPhoto } = titlesOf(catalogue([long, long]), all(2));
    expect(byPhoto.get(0)!.length).toBe(longestTitle);
  });
});
