import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LargeMap } from './large-map.ts';

it('holds what a Map would, in its order, over as many Maps as that takes', () => {
  const entries = fc.array(
    fc.tuple(fc.string({ maxLength: 2 }), fc.option(fc.integer(), { nil: undefined })),
  );
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 4 }), (given, most) => {
      const [large, map] = [new LargeMap<string, number | undefined>(most), new Map(given)];
      for (const [key, value] of given) large.set(key, value);
      expect([...large]).toEqual([...map]);
      expect(large.size).toBe(map.size);
      for (const [key] of [...given, ['none of them']] as const)
        expect([large.get(key), large.has(key)]).toEqual([map.get(key), map.has(key)]);
    }),
  );
});
