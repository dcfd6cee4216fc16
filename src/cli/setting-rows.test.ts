import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { schemas } from './schemas.ts';
import { settingRows } from './setting-rows.ts';

function textOf(schema: z.ZodType): readonly string[] {
  return settingRows(schema).map(({ key, type, unlessGiven, where }) =>
    [key, type, unlessGiven, ...(where === null ? [] : [`${where.key} is ${where.values}`])].join(' | '),
  );
}

describe('the settings of every command', () => {
  it.each(Object.entries(schemas))('of %s say what they mean', (_, schema) => {
    const silent = settingRows(schema).filter(({ meaning }) => meaning === null || meaning.trim() === '');
    expect(silent.map(({ key }) => key)).toEqual([]);
  });
});

describe('settingRows', () => {
  it('tells ranges, lists, choices, and what is taken when nothing is given', () => {
    const schema = z.strictObject({
      count: z.int().min(2).max(65_536).default(256),
      rate: z.number().positive().max(10),
      share: z.number().nonnegative().nullable().default(null),
      sizes: z.array(z.int().min(1)).min(1).max(6).default([2, 4]),
      range: z.tuple([z.number(), z.number()]),
      kind: z.enum(['a', 'b']).default('a'),
      amount: z.union([z.string().transform(Number), z.int().positive()]).optional(),
      set: z
        .union([z.literal('none'), z.string()])
        .nullable()
        .default(null),
      files: z.record(z.string(), z.string()).default({}),
      on: z.boolean().default(true),
    });
    expect(textOf(schema)).toEqual([
      'count | integer from 2 to 65,536 | default 256',
      'rate | number above 0, at most 10 | needed',
      'share | number, at least 0 or null | default null',
      'sizes | list of 1 to 6: integer, at least 1 | default [2,4]',
      'range | list of 2: number | needed',
      'kind | a, b | default a',
      'amount | text or integer above 0 | optional',
      'set | none or text or null | default null',
      'files | texts by name | default {}',
      'on | true or false | default true',
    ]);
  });

  it('lists groups with dotted keys, whether they may be null or not', () => {
    const inner = z.strictObject({ x: z.string() });
    const schema = z.strictObject({
      plain: inner.prefault({ x: 'y' }),
      none: z.strictObject({ z: z.int().default(1) }).prefault({}),
      maybe: inner.nullable().default(null),
    });
    expect(textOf(schema)).toEqual([
      'plain | settings below | default {"x":"y"}',
      'plain.x | text | needed',
      'none | settings below | ',
      'none.z | integer | default 1',
      'maybe | settings below or null | default null',
      'maybe.x | text | needed',
    ]);
  });

  it('says what belongs to which choice, and once what several choices have alike', () => {
    const size = z.int().default(1);
    const schema = z.strictObject({
      shape: z.discriminatedUnion('name', [
        z.strictObject({ name: z.literal('round').default('round'), size, radius: z.int().default(3) }),
        z.strictObject({ name: z.literal('square'), size, side: z.strictObject({ length: z.int() }) }),
        z.strictObject({ name: z.enum(['small', 'large']), size, radius: z.int().default(3) }),
      ]),
    });
    expect(textOf(schema)).toEqual([
      'shape | settings below | needed',
      'shape.name | round, square, small, large | default round',
      'shape.size | integer | default 1',
      'shape.radius | integer | default 3 | shape.name is round,small,large',
      'shape.side | settings below | needed | shape.name is square',
      'shape.side.length | integer | needed | shape.name is square',
    ]);
  });
});
