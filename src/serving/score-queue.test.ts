import { describe, expect, it } from 'vitest';
import type { ExposureColumns } from '../rankers/exposure-columns.ts';
import { OverloadedError, type QueueSettings, ScoreQueue } from './score-queue.ts';

/** Exposures that are known by a number each. */
function columns(...numbers: number[]): ExposureColumns {
  return {
    count: numbers.length,
    lookups: Int32Array.from(numbers.flatMap((number) => [number, 10 * number])),
    historyMask: Float32Array.from(numbers),
    dense: Float32Array.from(numbers),
    visual: new Float32Array(),
    nearness: new Float32Array(),
    category: Int32Array.from(numbers),
  };
}

/** A queue whose batches are answered by hand: the score of an exposure is its number and what its lookups say. */
function queueOf(settings: Partial<QueueSettings> = {}) {
  const batches: {
    readonly asked: { readonly dense: readonly number[]; readonly lookups: readonly number[] };
    answer(): void;
    fail(error: Error): void;
  }[] = [];
  const score = (parts: readonly ExposureColumns[]) =>
    new Promise<Float32Array>((resolve, reject) => {
      const asked = {
        dense: parts.flatMap(({ dense }) => [...dense]),
        lookups: parts.flatMap(({ lookups }) => [...lookups]),
      };
      const answer = () =>
        resolve(Float32Array.from(asked.dense, (number, row) => number + asked.lookups[2 * row + 1]!));
      batches.push({ asked, answer, fail: reject });
    });
  return { batches, queue: new ScoreQueue(score, { window: 0, batchRows: 4, queueRows: 10, ...settings }) };
}

describe('a queue of score requests', () => {
  it('puts what waits together into batches of no more rows than wanted, and gives everybody their own scores', async () => {
    const { batches, queue } = queueOf();
    const asked = [[1], [2, 3], [4], [5], [6, 7]].map((numbers) => queue.score(columns(...numbers), null));
    // Two batches are under way at once; what came after them waits for one to end.
    expect(batches.map((batch) => batch.asked.dense)).toEqual([[1], [2, 3]]);
    batches[1]?.answer();
    expect(await asked[1]).toEqual(Float32Array.of(22, 33));
    await new Promise(setImmediate);
    expect(batches[2]?.asked.lookups).toEqual([4, 40, 5, 50, 6, 60, 7, 70]);
    batches[0]?.answer();
    batches[2]?.answer();
    expect(await asked[0]).toEqual(Float32Array.of(11));
    expect(await asked[4]).toEqual(Float32Array.of(66, 77));
    await queue.idle();
    expect([queue.rows, queue.computed]).toEqual([0, { batches: 3, rows: 7 }]);
  });

  it('waits for company as long as the window, unless the batch is full', async () => {
    const { batches, queue } = queueOf({ window: 60_000 });
    const first = queue.score(columns(1, 2), null);
    expect(batches).toHaveLength(0);
    const second = queue.score(columns(3, 4), null);
    expect(batches[0]?.asked.dense).toEqual([1, 2, 3, 4]);
    batches[0]?.answer();
    expect([await first, await second]).toEqual([Float32Array.of(11, 22), Float32Array.of(33, 44)]);
  });

  it('refuses what it has no room for, and takes it when there is room again', async () => {
    const { batches, queue } = queueOf();
    const taken = queue.score(columns(1, 2, 3, 4, 5, 6, 7, 8), null);
    await expect(queue.score(columns(1, 2, 3), null)).rejects.toBeInstanceOf(OverloadedError);
    expect(() => queue.admit(2)).not.toThrow();
    batches[0]?.answer();
    await taken;
    // One request may be larger than the queue: nobody waits for it.
    const large = queue.score(columns(...Array.from({ length: 50 }, (_, row) => row)), null);
    batches[1]?.answer();
    expect(await large).toHaveLength(50);
  });

  it('refuses a request before it is known where one like those before would be', async () => {
    const { batches, queue } = queueOf();
    const usual = Array.from({ length: 100 }, () => queue.score(columns(1, 2, 3), null).catch(() => null));
    expect(queue.hasRoom).toBe(false);
    expect(() => queue.admit(1)).not.toThrow();
    for (let batch = 0; batch < 3; batch++) {
      batches[batch]?.answer();
      await new Promise(setImmediate);
    }
    await Promise.all(usual);
    expect(queue.rows).toBe(0);
    expect(queue.hasRoom).toBe(true);
  });

  it('tells who waited too long, and computes nothing for them', async () => {
    const { batches, queue } = queueOf();
    const [one, two] = [queue.score(columns(1), null), queue.score(columns(2), null)];
    const late = queue.score(columns(3), performance.now() + 5);
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const patient = queue.score(columns(4), null);
    for (const batch of batches) batch.answer();
    await Promise.all([one, two]);
    await new Promise(setImmediate);
    expect(batches[2]?.asked.dense).toEqual([4]);
    batches[2]?.answer();
    expect(await patient).toEqual(Float32Array.of(44));
  });

  it('passes an error of the model to all whose batch it was, and goes on', async () => {
    const { batches, queue } = queueOf();
    const failed = [queue.score(columns(1), null), queue.score(columns(2), null)];
    batches[0]?.fail(new Error('no'));
    batches[1]?.answer();
    await expect(failed[0]).rejects.toThrow('no');
    expect(await failed[1]).toEqual(Float32Array.of(22));
    const next = queue.score(columns(3), null);
    batches[2]?.answer();
    expect(await next).toEqual(Float32Array.of(33));
    expect(queue.rows).toBe(0);
  });
});
