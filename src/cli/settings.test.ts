import { describe, expect, it } from 'vitest';
import { collectSettings, list, seeds } from './settings.ts';

describe('settings from the command line', () => {
  it('let --set override the file, and own options both, at any depth', async () => {
    const own = { 'encoder.width': 32, out: undefined };
    const set = ['encoder.depth=2', 'out=there', 'seeds=[1,2]'];
    expect(await collectSettings({ set }, own)).toEqual({
      encoder: { depth: 2, width: 32 },
      out: 'there',
      seeds: [1, 2],
    });
  });

  it('read a number of seeds or a list of them', () => {
    expect([seeds('3'), seeds('4,7'), seeds('x')]).toEqual([[1, 2, 3], [4, 7], ['x']]);
  });
});

it('a list is split at commas, but not within an expression', () => {
  expect(list("price, replace(price, ',', '.'), \"a, b\",[1, 2][1]")).toEqual([
    'price',
    "replace(price, ',', '.')",
    '"a, b"',
    '[1, 2][1]',
  ]);
});
