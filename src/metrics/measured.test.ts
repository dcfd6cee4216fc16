import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { auc } from './auc.ts';
import { known, mapped, measure, measuredSchema } from './measured.ts';

describe('measure', () => {
  it('gives the value of a metric that is defined', () => {
    expect(measure(() => auc(Float32Array.of(1, 2), Uint8Array.of(0, 1)))).toEqual({
      kind: 'value',
      value: 1,
    });
  });

  it('gives the reason for a gap where it is undefined', () => {
    const none = measure(() => auc(Float32Array.of(1, 2), Uint8Array.of(0, 0)));
    expect(none).toEqual({ kind: 'undefined', why: 'AUC is undefined: no row is clicked.' });
  });

  it('hides neither wrong values nor bugs', () => {
    expect(() => measure(() => auc(Float32Array.of(NaN), Uint8Array.of(1)))).toThrow('not a number');
    expect(() =>
      measure(() => {
        throw new TypeError('a bug');
      }),
    ).toThrow('a bug');
  });
});

describe('a gap', () => {
  const gap = { kind: 'undefined', why: 'AUC is undefined: no row is clicked.' } as const;

  it('stays a gap for the same reason whatever follows from it, and has no value', () => {
    expect(mapped(gap, (auc: number) => 2 * auc)).toBe(gap);
    expect(known(gap)).toBeNull();
    const half = { kind: 'value', value: 0.5 } as const;
    expect(mapped(half, (auc) => 2 * auc)).toEqual({ kind: 'value', value: 1 });
    expect(known(half)).toBe(0.5);
  });

  it('is read from a file as it was written, and nothing else is', () => {
    const schema = measuredSchema(z.number());
    expect(schema.parse(gap)).toEqual(gap);
    for (const wrong of [0.5, null, { kind: 'value' }, { kind: 'undefined' }])
      expect(schema.safeParse(wrong).success).toBe(false);
  });
});
