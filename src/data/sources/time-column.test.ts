import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { understandTimes } from './time-column.ts';

const now = Date.UTC(2026, 0, 1);
const moment = Date.UTC(2024, 2, 14, 15, 9, 26);

function read(texts: readonly (string | null)[]) {
  const { meaning, toMilliseconds } = understandTimes('time', texts, now);
  return { meaning, times: texts.map((text) => toMilliseconds(text ?? '')) };
}

describe('times of a column', () => {
  it.each([
    ['seconds since 1970', `${moment / 1000}`],
    ['seconds since 1970', `${moment / 1000}.0`],
    ['milliseconds since 1970', `${moment}`],
    ['microseconds since 1970', `${moment}000`],
    ['nanoseconds since 1970', `${moment}000000`],
    ['stamps yyyymmddHHMMSS', '20240314150926'],
    ['dates and times in ISO 8601, UTC where they name no offset', '2024-03-14T15:09:26Z'],
    ['dates and times in ISO 8601, UTC where they name no offset', '2024-03-14 15:09:26 UTC'],
    ['dates and times in ISO 8601, UTC where they name no offset', '2024-03-14 16:09:26+01'],
    ['dates yyyy/mm/dd', '2024/03/14 15:09:26'],
    ['dates mm/dd/yyyy', '03/14/2024 03:09:26 PM'],
    ['dates dd/mm/yyyy', '14/03/2024 15:09:26'],
    ['dates dd.mm.yyyy', '14.3.2024 15:09:26'],
  ])('are read as %s: %s', (meaning, text) => {
    expect(read([text])).toEqual({ meaning, times: [moment] });
  });

  it.each([
    ['stamps yyyymmdd', '20240314', Date.UTC(2024, 2, 14)],
    ['stamps yyyymmddHH', '2024031415', Date.UTC(2024, 2, 14, 15)],
    ['stamps yyyymmddHHMM', '202403141509', Date.UTC(2024, 2, 14, 15, 9)],
    ['stamps yymmddHH', '14102100', Date.UTC(2014, 9, 21)],
  ])('are read as %s: %s', (meaning, text, time) => {
    expect(read([text])).toEqual({ meaning, times: [time] });
  });

  it('of any moment and unit come back, whatever the unit', () => {
    const moments = fc.array(fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: now / 1000 }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(moments, fc.constantFrom('', '000', '000000', '000000000'), (seconds, zeros) => {
        const { times } = read(seconds.map((second) => `${second}${zeros}`));
        expect(times).toEqual(seconds.map((second) => 1000 * second));
      }),
    );
  });

  it('are those of the greater part, and what is not is no time: zero, 2099, a word for nothing', () => {
    const { times } = read([
      '1710428966',
      '1710428967',
      '1710428968',
      '0',
      '4102444800',
      'nan',
      null,
      'soon',
    ]);
    expect(times.slice(0, 3).every((time) => time !== undefined)).toBe(true);
    expect(times.slice(3)).toEqual(Array(5).fill(undefined));
  });

  it('that count from another moment are refused with an expression to give', () => {
    expect(() => read(['61', '3600061'])).toThrowError(
      expect.objectContaining({
        code: 'VALUE_INVALID',
        remedy: expect.stringContaining('1465876799998 + time::BIGINT'),
      }),
    );
  });

  it('whose day and month can be either are refused, and known by one that cannot', () => {
    expect(() => read(['03/01/2024', '03/02/2024'])).toThrowError(/mm\/dd\/yyyy and as dates dd\/mm\/yyyy/);
    expect(read(['03/01/2024', '03/22/2024']).meaning).toBe('dates mm/dd/yyyy');
    // Where both are the same day there is nothing to say.
    expect(read(['03/03/2024']).times).toEqual([Date.UTC(2024, 2, 3)]);
  });

  it('that are none are refused with what is known', () => {
    expect(() => read(['soon', 'later'])).toThrowError(/soon, later.*nanoseconds since 1970.*dd\.mm\.yyyy/);
    expect(() => read(['', null])).toThrowError(/all of it is empty/);
  });
});
