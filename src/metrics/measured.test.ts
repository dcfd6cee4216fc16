import { describe, expect, it } from 'vitest';
import { auc } from './auc.ts';
import { measure } from './measured.ts';

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
