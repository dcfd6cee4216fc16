import { describe, expect, it } from 'vitest';
import { NONE } from '../data/dataset.ts';
import { KeyQueue } from './key-queue.ts';

const keys = (...numbers: number[]) => Float32Array.from(numbers.flatMap((number) => [number, -number]));

describe('the key queue', () => {
  it('holds the newest keys first and drops the oldest', () => {
    const queue = new KeyQueue(5, 2);
    queue.push(keys(1, 2), Int32Array.of(11, 12));
    expect([...queue.photos]).toEqual([11, 12, NONE, NONE, NONE]);
    queue.push(keys(3, 4), Int32Array.of(13, 14));
    queue.push(keys(5, 6), Int32Array.of(15, 16));
    expect([...queue.photos]).toEqual([15, 16, 13, 14, 11]);
    expect([...queue.keys]).toEqual([...keys(5, 6, 3, 4, 1)]);
  });

  it('restored goes on as the one that was saved', () => {
    const [queue, other] = [new KeyQueue(3, 2), new KeyQueue(3, 2)];
    queue.push(keys(1, 2), Int32Array.of(11, 12));
    other.restore(queue.arrays);
    for (const each of [queue, other]) each.push(keys(3), Int32Array.of(13));
    expect(other.arrays).toEqual(queue.arrays);
  });
});
