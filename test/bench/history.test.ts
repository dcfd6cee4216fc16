import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { addToHistory, fallenIn, readHistory, type SmokeRun } from '../../bench/history.ts';
import { temporaryFolder } from '../support/temporary.ts';

function run(ratio: number, machine = 'this'): SmokeRun {
  const date = '2026-01-02T03:04:05.678Z';
  return { version: '0.1.0', commit: 'abc', date, machine, ratios: { decode: ratio, embed: 1 } };
}

describe('the history of benchmarks', () => {
  it('tells what is below three quarters of the median of earlier runs on the same kind of machine', () => {
    const earlier = [run(4), run(8), run(40), run(100, 'another'), run(100, 'another'), run(100, 'another')];
    expect(fallenIn(run(6), earlier)).toEqual([]);
    expect(fallenIn(run(5.9), earlier)).toEqual([{ name: 'decode', ratio: 5.9, before: 8 }]);
  });

  it('tells nothing of what is new, or was measured twice only', () => {
    expect(fallenIn(run(1), [run(8), run(8)])).toEqual([]);
    const others = [1, 2, 3].map(() => ({ ...run(1), ratios: { embed: 1 } }));
    expect(fallenIn(run(1), others)).toEqual([]);
  });

  it('is a line for each run, and empty before the first', async () => {
    const path = pathToFileURL(join(await temporaryFolder(), 'history.jsonl'));
    expect(await readHistory(path)).toEqual([]);
    await addToHistory(path, run(1));
    await addToHistory(path, run(2));
    expect(await readHistory(path)).toEqual([run(1), run(2)]);
  });
});
