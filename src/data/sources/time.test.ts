import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTime } from './time.ts';

describe('parseTime', () => {
  it('reads dates, ISO times with and without offset, and basic dates, as UTC', () => {
    const noon = Date.UTC(2024, 1, 29, 12);
    expect(parseTime('2024-02-29')).toBe(noon - 12 * 3_600_000);
    expect(parseTime('20240229')).toBe(noon - 12 * 3_600_000);
    expect(parseTime('2024-02-29 12:00:00')).toBe(noon);
    expect(parseTime(' 2024-02-29T12:00Z ')).toBe(noon);
    expect(parseTime('2024-02-29T14:00:00.000+02:00')).toBe(noon);
    expect(parseTime('2024-02-29 12:00:00.25+00')).toBe(noon + 250);
  });

  it('reads seconds and milliseconds since 1970', () => {
    expect(parseTime('1700000000')).toBe(1.7e12);
    expect(parseTime('1700000000000')).toBe(1.7e12);
    expect(parseTime('1700000000.5')).toBe(1.7e12 + 500);
  });

  it('knows every time that a Date writes', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (date) => {
        expect(parseTime(date.toISOString())).toBe(date.getTime());
      }),
    );
  });

  it('refuses what is no time, impossible dates included', () => {
    for (const text of [
      '',
      'yesterday',
      '2023-02-29',
      '2024-13-01',
      '2024-01-01T25:00',
      '1/2/2024',
      'NaN',
      '1e400',
    ]) {
      expect(parseTime(text), text).toBeUndefined();
    }
  });
});
