import { describe, expect, it } from 'vitest';
import { understandLabels } from './label-column.ts';

function read(texts: readonly (string | null)[], clicks?: readonly string[]) {
  const counts = new Map<string | null, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const labelOf = understandLabels('clicked', counts, clicks);
  return texts.map(labelOf);
}

describe('labels of a column', () => {
  it.each([
    ['1', '0'],
    ['1.0', '0.00'],
    ['True', 'False'],
    ['t', 'f'],
    ['YES', 'no'],
    ['y', 'n'],
    ['+1', '-1'],
  ])('are plain: %s and %s', (click, none) => {
    expect(read([click, none, none])).toEqual([true, false, false]);
  });

  it('are the values that are named, all others being none', () => {
    expect(read(['cart', 'view', 'buy', null, 'view'], ['cart', 'buy'])).toEqual([
      true,
      false,
      true,
      undefined,
      false,
    ]);
    expect(() => read(['view'], ['buy'])).toThrowError(/none of them is buy/);
  });

  it('that need to be explained are refused, with their values and an expression that could be meant', () => {
    expect(() => read(['impression', 'impression', 'click'])).toThrowError(
      expect.objectContaining({
        message: expect.stringContaining('impression (2), click (1)'),
        remedy: expect.stringContaining(`--clicked "clicked = 'click'"`),
      }),
    );
    expect(() => read(['0', '3', '0'])).toThrowError(
      expect.objectContaining({ remedy: expect.stringContaining('clicked::DOUBLE > 0') }),
    );
    expect(() => read(['4', '1', '5', '3', '2', '5'])).toThrowError(
      expect.objectContaining({
        remedy: expect.stringMatching(/clicked::DOUBLE >= 4.*--clicked-values 5,4\./),
      }),
    );
  });

  it('that are empty where nothing was clicked are asked about', () => {
    expect(() => read(['1', null, '', null])).toThrowError(
      expect.objectContaining({ remedy: expect.stringContaining("coalesce(clicked, '0')") }),
    );
  });

  it('that are neither are unknown, as long as they are few', () => {
    expect(read([...Array<string>(19).fill('0'), '1', 'maybe']).slice(-2)).toEqual([true, undefined]);
  });
});
