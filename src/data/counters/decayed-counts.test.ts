import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NONE } from '../dataset.ts';
import { DecayedCounts, horizons } from './decayed-counts.ts';

const day = 86_400_000;

describe('decayed counts', () => {
  it('equal the sum of 2^(−age / half-life) over the events of the key, in whatever order those came', () => {
    const event = fc.record({
      key: fc.nat(2),
      kind: fc.constantFrom('exposure' as const, 'click' as const),
      time: fc.nat(90 * day).map((time) => 1_700_000_000_000 + time),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), fc.nat(2), fc.nat(60 * day), (events, key, later) => {
        const counts = new DecayedCounts();
        for (const each of events) counts.add(each.key, each.kind, each.time);
        const time = 1_700_000_000_000 + 90 * day + later;
        const sums = (kind: 'exposure' | 'click') =>
          horizons.map(({ halfLife }) =>
            events
              .filter((each) => each.key === key && each.kind === kind)
              .reduce((sum, each) => sum + 2 ** (-(time - each.time) / halfLife), 0),
          );
        const { exposures, clicks } = counts.read(key, time);
        for (const place of horizons.keys()) {
          expect(exposures[place]).toBeCloseTo(sums('exposure')[place]!, 9);
          expect(clicks[place]).toBeCloseTo(sums('click')[place]!, 9);
        }
      }),
    );
  });

  it('halve after a half-life, and of a key without events are zero', () => {
    const counts = new DecayedCounts();
    counts.add(5, 'click', 0);
    const { clicks } = counts.read(5, 7 * day);
    for (const [place, share] of [2 ** -7, 0.5, 2 ** (-7 / 30), 1].entries())
      expect(clicks[place]).toBeCloseTo(share, 14);
    for (const key of [NONE, 4, 1000]) expect([...counts.read(key, day).clicks]).toEqual([0, 0, 0, 0]);
  });
});
