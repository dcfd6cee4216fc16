import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literal, withDuckDB } from '../duckdb/duckdb.ts';
import { understandTimes } from './time-column.ts';

const now = Date.UTC(2026, 0, 1);
const moment = Date.UTC(2024, 2, 14, 15, 9, 26);

async function read(texts: readonly (string | null)[]) {
  return withDuckDB([], async (connection) => {
    const rows = texts.map((text) => `(${text === null ? 'NULL' : literal(text)})`).join(', ');
    await connection.run(
      `CREATE TABLE times AS SELECT v.text::VARCHAR AS text FROM (VALUES ${rows}) AS v(text)`,
    );
    const source = { connection, table: 'times', column: 'text', name: 'time' };
    const { meaning, milliseconds } = await understandTimes(source, now);
    const result = await connection.runAndReadAll(
      `SELECT ${milliseconds('text')}::DOUBLE FROM times ORDER BY rowid`,
    );
    return { meaning, times: result.getRows().map(([time]) => time ?? undefined) };
  });
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
  ])('are read as %s: %s', async (meaning, text) => {
    expect(await read([text])).toEqual({ meaning, times: [moment] });
  });

  it.each([
    ['stamps yyyymmdd', '20240314', Date.UTC(2024, 2, 14)],
    ['stamps yyyymmddHH', '2024031415', Date.UTC(2024, 2, 14, 15)],
    ['stamps yyyymmddHHMM', '202403141509', Date.UTC(2024, 2, 14, 15, 9)],
    ['stamps yymmddHH', '14102100', Date.UTC(2014, 9, 21)],
  ])('are read as %s: %s', async (meaning, text, time) => {
    expect(await read([text])).toEqual({ meaning, times: [time] });
  });

  it('of any moment and unit come back, whatever the unit', async () => {
    const moments = fc.array(fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: now / 1000 }), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(moments, fc.constantFrom('', '000', '000000', '000000000'), async (seconds, zeros) => {
        const { times } = await read(seconds.map((second) => `${second}${zeros}`));
        expect(times).toEqual(seconds.map((second) => 1000 * second));
      }),
      { numRuns: 20 },
    );
  });

  it('are those of the greater part, and what is not is no time: zero, 2099, a word for nothing', async () => {
    const { times } = await read([
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

  it('that count from another moment are refused with an expression to give', async () => {
    await expect(read(['61', '3600061'])).rejects.toThrowError(
      expect.objectContaining({
        code: 'VALUE_INVALID',
        remedy: expect.stringContaining('1465876799998 + time::BIGINT'),
      }),
    );
  });

  it('whose day and month can be either are refused, and known by one that cannot', async () => {
    await expect(read(['03/01/2024', '03/02/2024'])).rejects.toThrowError(
      /mm\/dd\/yyyy and as dates dd\/mm\/yyyy/,
    );
    expect((await read(['03/01/2024', '03/22/2024'])).meaning).toBe('dates mm/dd/yyyy');
    // Where both are the same day there is nothing to say.
    expect((await read(['03/03/2024'])).times).toEqual([Date.UTC(2024, 2, 3)]);
  });

  it('that are none are refused with what is known', async () => {
    await expect(read(['soon', 'later'])).rejects.toThrowError(
      /soon, later.*nanoseconds since 1970.*dd\.mm\.yyyy/,
    );
    await expect(read(['', null])).rejects.toThrowError(/all of it is empty/);
  });
});
