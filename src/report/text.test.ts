import { describe, expect, it } from 'vitest';
import { bytes, counted, decimals, duration, oneLine, shellWord } from '../text.ts';
import { featuresName, interval, meanAndStd, name, pValue, signedPoints, sourceName } from './text.ts';

describe('numbers for readers', () => {
  it('have a true minus sign and never a negative zero', () => {
    expect(decimals(-0.126, 2)).toBe('−0.13');
    expect(decimals(-0.001, 2)).toBe('0.00');
  });

  it('show differences of AUC in points with a sign', () => {
    expect([0.0312, -0.0058, 0, 0.00001].map((difference) => signedPoints(difference))).toEqual([
      '+3.12',
      '−0.58',
      '0.00',
      '0.00',
    ]);
    expect(interval([-0.004, 0.0081])).toBe('−0.40 to 0.81');
  });

  it('never show a p-value of zero', () => {
    expect([0.00002, 0.002, 0.0781, 0.41, 1].map(pValue)).toEqual([
      '< 0.001',
      '0.002',
      '0.078',
      '0.41',
      '1.00',
    ]);
  });

  it('leave out the spread of a single seed', () => {
    expect(meanAndStd({ mean: 0.81234, std: 0.00111 })).toBe('0.8123 ± 0.0011');
    expect(meanAndStd({ mean: 0.81234, std: null })).toBe('0.8123');
  });

  it('count one thing in the singular', () => {
    expect([0, 1, 1200].map((count) => counted(count, 'rankers'))).toEqual([
      '0 rankers',
      '1 ranker',
      '1,200 rankers',
    ]);
  });

  it('stand as one word in a command, whatever quotation marks are in them', () => {
    expect(shellWord("clicked = 'click'")).toBe(`"clicked = 'click'"`);
    expect(shellWord('"rating:float"::DOUBLE > 1')).toBe(`'"rating:float"::DOUBLE > 1'`);
    expect(shellWord(`coalesce("a:b", '0')`)).toBe(`'coalesce("a:b", '\\''0'\\'')'`);
  });

  it('round durations up to the next unit where they reach it', () => {
    expect([0.04, 9.96, 59.4, 59.6, 3599.7, 7805].map(duration)).toEqual([
      '0.0 s',
      '10 s',
      '59 s',
      '1 min 00 s',
      '1 h 00 min',
      '2 h 10 min',
    ]);
  });

  it('show bytes in binary units', () => {
    expect([0, 1023, 1024, 3 * 2 ** 29, 2 ** 60].map(bytes)).toEqual([
      '0 B',
      '1023 B',
      '1 KiB',
      '1.5 GiB',
      '1048576.0 TiB',
    ]);
  });
});

describe('oneLine', () => {
  it('cuts long text without splitting a character', () => {
    expect(oneLine('👗'.repeat(10), 4)).toBe('👗👗👗…');
    expect(oneLine('abcd', 4)).toBe('abcd');
    expect(oneLine('x'.repeat(10_000_000), 20)).toHaveLength(20);
  });
});

describe('names for readers', () => {
  it('name every feature of a set', () => {
    expect(featuresName('sim-score+cluster-id')).toBe('similarity scores + cluster ids');
    expect(featuresName('vector+semantic-id+sim-tier')).toBe('vectors + semantic ids + similarity tiers');
    expect(featuresName('sim-retrieved+attention-cosine')).toBe(
      'similarity to retrieved clicks + similarity in attention',
    );
  });

  it('leave unknown names as they are, also those that every object has', () => {
    expect(featuresName('constructor+mine')).toBe('constructor + mine');
    expect(sourceName('toString')).toBe('toString');
  });

  it('say so where there is nothing to see', () => {
    expect([' ', '\u0000', 'shoes'].map((text) => name(text, 20))).toEqual([
      '(no name)',
      '(no name)',
      'shoes',
    ]);
  });
});
