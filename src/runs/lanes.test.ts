import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../runtime/engine.ts';
import { defaultLanes, inLanes } from './lanes.ts';

describe('lanes', () => {
  it.each([1, 3, 9])('do every task once, begun in order and %i at a time at most', async (count) => {
    const tasks = [0, 1, 2, 3, 4, 5, 6];
    const begun: number[] = [];
    let [running, most] = [0, 0];
    await inLanes(tasks, count, { threads: 1 }, undefined, async (task) => {
      begun.push(task);
      most = Math.max(most, ++running);
      await setTimeout(5);
      running--;
    });
    expect(begun).toEqual(tasks);
    expect(most).toBe(Math.min(count, tasks.length));
  });

  it('have an engine each, with no more cores than asked for', async () => {
    const used = new Set<Engine>();
    await inLanes([1, 2], 2, { threads: 1 }, undefined, async (_, { engine, threads }) => {
      used.add(engine);
      expect(threads).toBe(1);
      await setTimeout(5);
    });
    expect(used.size).toBe(2);
  });

  it('stop together when one fails, and throw what it threw', async () => {
    const failure = new Error('disk full');
    const done: number[] = [];
    const work = inLanes([0, 1, 2, 3], 2, { threads: 1 }, undefined, async (task, { signal }) => {
      if (task === 0) {
        await setTimeout(5);
        throw failure;
      }
      await setTimeout(20);
      signal?.throwIfAborted();
      done.push(task);
    });
    await expect(work).rejects.toBe(failure);
    expect(done).toEqual([]);
  });

  it('stop when the caller asks for it', async () => {
    const stop = new AbortController();
    const begun: number[] = [];
    const work = inLanes([0, 1, 2, 3, 4], 2, { threads: 1 }, stop.signal, async (task) => {
      begun.push(task);
      stop.abort();
      await setTimeout(5);
    });
    await expect(work).rejects.toThrow('abort');
    expect(begun).toEqual([0]);
  });

  it('are at least one, whatever the machine', () => {
    expect(defaultLanes()).toBeGreaterThanOrEqual(1);
    expect(defaultLanes()).toBeLessThanOrEqual(4);
  });
});
