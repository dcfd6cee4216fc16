import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from './config.ts';

const schema = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('table'),
    side: z.int().positive().default(64),
    log: z.strictObject({ path: z.string(), user: z.string() }),
  }),
  z.strictObject({ source: z.literal('plain').default('plain') }),
  z.strictObject({ source: z.literal('hm'), mode: z.enum(['fast', 'exact']).default('fast') }),
]);

function refusal(value: unknown): { code: unknown; message: string } {
  try {
    parseConfig(schema, value, 'test configuration');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

describe('parseConfig', () => {
  it('fills in the defaults', () => {
    expect(parseConfig(schema, { source: 'hm' }, 'test')).toEqual({ source: 'hm', mode: 'fast' });
  });

  it('names an unknown key and the keys that are allowed there', () => {
    const { code, message } = refusal({ source: 'table', log: { path: 'a', user: 'b', usr: 'c' } });
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain('unknown key `log.usr`, allowed are `path`, `user`');
  });

  it('names the allowed values of a wrong choice', () => {
    expect(refusal({ source: 'hm', mode: 'slow' }).message).toContain(
      '`mode` must be one of `fast`, `exact`',
    );
    expect(refusal({ source: 'csv' }).message).toMatch(/`source` must be one of `table`, `plain`, `hm`\.$/);
  });

  it('names every key that is missing or wrong', () => {
    const { message } = refusal({ source: 'table', side: -1, log: { path: 'a' } });
    expect(message).toContain('`side`: Too small');
    expect(message).toContain('`log.user` is missing');
  });
});
