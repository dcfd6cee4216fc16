import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../runtime/engine.ts';
import { defaultLanes, inLanes } from './lanes.ts';

describe('lanes', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  it.each([1, 3, 9])('do every task once, begun in order and %i at a time at most', async (count) => {
    const tasks = [0, 1, 2, 3, 4, 5, 6];
    const begun: number[] = [];
    let [running, most] = [0, 0];
    await inLanes(tasks, count, engine, undefined, async (task) => {
      begun.push(task);
      most = Math.max(most, ++running);
      await setTimeout(5);
      running--;
    });
    expect(begun).toEqual(tasks);
    expect(most).toBe(Math.min(count, tasks.length));
  });

  it('have an engine each, which a single one borrows', async () => {
    const used = new Set<Engine>();
    await inLanes([1], 4, engine, undefined, async (_, lane) => void used.add(lane.engine));
    expect([...used]).toEqual([engine]);
    await inLanes([1, 2], 2, engine, undefined, async (_, lane) => {
      used.add(lane.engine);
      await setTimeout(5);
    });
    expect(used.size).toBe(3);
  });

  it('stop together when one fails, and throw what it threw', async () => {
    const failure = new Error('disk full');
    const done: number[] = [];
    const work = inLanes([0, 1, 2, 3], 2, engine, undefined, async (task, { signal }) => {
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
    const work = inLanes([0, 1, 2, 3, 4], 2, engine, stop.signal, async (task) => {
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
