import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapAhead } from './map-ahead.ts';

const tick = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

describe('mapAhead', () => {
  it('gives results in order, whichever task ends first, and never runs or holds more than it may', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      async (delays, active, ahead) => {
        let [running, started, taken] = [0, 0, 0];
        const task = async (index: number) => {
          started++;
          expect(++running).toBeLessThanOrEqual(active);
          expect(started - taken).toBeLessThanOrEqual(ahead + 1);
          await tick(delays[index]!);
          running--;
          return index;
        };
        const results: number[] = [];
        for await (const result of mapAhead(delays.length, task, { active, ahead })) {
          taken++;
          results.push(result);
        }
        expect(results).toEqual(delays.map((_, index) => index));
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });

  it('hands an error to the consumer in its turn, and waits for what is under way', async () => {
    let running = 0;
    const task = async (index: number) => {
      running++;
      await tick(2);
      running--;
      if (index === 1) throw new Error('task 1');
      return index;
    };
    const seen: number[] = [];
    const consume = async () => {
      for await (const result of mapAhead(9, task, { active: 4, ahead: 4 })) seen.push(result);
    };
    await expect(consume()).rejects.toThrow('task 1');
    expect([seen, running]).toEqual([[0], 0]);
  });
});
