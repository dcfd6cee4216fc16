import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckpointPace } from './checkpoint-pace.ts';

describe('CheckpointPace', () => {
  it('waits for ten seconds, or for a hundred times what the last one took', () => {
    const pace = new CheckpointPace(0);
    expect([pace.isDue(9_999), pace.isDue(10_000)]).toEqual([false, true]);
    pace.end(10_000, 10_050);
    expect([pace.isDue(19_999), pace.isDue(20_000)]).toEqual([false, true]);
    pace.end(20_000, 20_500);
    expect([pace.isDue(69_999), pace.isDue(70_000)]).toEqual([false, true]);
  });

  it('takes none while one is being written', () => {
    const pace = new CheckpointPace(0);
    pace.begin();
    expect(pace.isDue(1e9)).toBe(false);
    pace.end(10_000, 10_001);
    expect(pace.isDue(1e9)).toBe(true);
  });

  it('never gives a hundredth of the time, however long steps and checkpoints take', () => {
    const milliseconds = fc.double({ min: 1, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(milliseconds, milliseconds), { maxLength: 50 }), (steps) => {
        const pace = new CheckpointPace(0);
        // The last one counts when the next is due: until then it has not paid for itself.
        let [now, spent, last] = [0, 0, 0];
        for (const [step, checkpoint] of steps) {
          now += step;
          if (!pace.isDue(now)) continue;
          expect(spent + last).toBeLessThanOrEqual(0.01 * now + 1e-6);
          spent += last;
          last = checkpoint;
          pace.end(now, now + checkpoint);
          now += checkpoint;
        }
      }),
    );
  });
});
