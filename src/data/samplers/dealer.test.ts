import { describe, expect, it } from 'vitest';
import { Random } from '../../random.ts';
import { Dealer } from './dealer.ts';

const dealer = (count: number, batchSize: number) =>
  new Dealer(count, batchSize, Random.seeded(1, 'dealer'), ({ samples }) => [...samples]);

describe('the dealer', () => {
  it('deals every sample once per epoch, in another order each time', () => {
    const { batchesPerEpoch } = dealer(12, 4);
    const cards = dealer(12, 4);
    const epoch = () => Array.from({ length: batchesPerEpoch }, () => cards.next()).flat();
    const [first, second] = [epoch(), epoch()];
    expect(first.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index));
    expect(second.toSorted((a, b) => a - b)).toEqual(first.toSorted((a, b) => a - b));
    expect(second).not.toEqual(first);
  });

  it('restored anywhere goes on with the very next batch', () => {
    const cards = dealer(11, 3);
    for (let taken = 0; taken < 8; taken++) {
      const restored = dealer(11, 3);
      restored.restore(cards.state);
      expect([restored.next(), restored.next()]).toEqual([cards.next(), cards.next()]);
    }
  });

  it('makes batches of all samples where there are fewer than a batch', () => {
    const cards = dealer(3, 8);
    expect(cards.batchSize).toBe(3);
    expect(cards.next().toSorted()).toEqual([0, 1, 2]);
  });
});
