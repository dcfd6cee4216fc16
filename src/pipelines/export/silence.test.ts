import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { longestSilence } from './silence.ts';

const day = 86_400_000;
const times = fc
  .array(fc.nat(100 * day), { maxLength: 20 })
  .map((values) => Float64Array.from(values).sort());

describe('the longest silence of a log', () => {
  it('is the largest step of all its times in order, however they are split in two', () => {
    fc.assert(
      fc.property(times, times, (one, other) => {
        const all = Float64Array.from([...one, ...other]).sort();
        const steps = all.slice(1).map((time, place) => time - all[place]!);
        expect(longestSilence(one, other)).toBe(Math.max(day, ...steps));
      }),
    );
  });

  it('is a day where nothing is silent for longer, or nothing was said', () => {
    expect(longestSilence(Float64Array.of(0, 3), Float64Array.of(1))).toBe(day);
    expect(longestSilence(new Float64Array(), new Float64Array())).toBe(day);
  });
});
