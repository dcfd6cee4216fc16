import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { askForHugePages } from './huge-pages.ts';

/** Whether a program may ask for them at all. */
function mayAsk(): boolean {
  try {
    return !readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8').includes('[never]');
  } catch {
    return false;
  }
}

describe('askForHugePages', () => {
  it.runIf(process.platform === 'linux' && mayAsk())(
    'asks for large memory, shared or not, which is zero and is written as before',
    () => {
      for (const memory of [new Float32Array(2 ** 23), new Float32Array(new SharedArrayBuffer(2 ** 25))]) {
        expect(askForHugePages(memory)).toBe(true);
        const places = [0, 1, 2 ** 21, memory.length - 1];
        expect(places.map((place) => memory[place])).toEqual([0, 0, 0, 0]);
        for (const place of places) memory[place] = place;
        expect(places.map((place) => memory[place])).toEqual(places);
      }
    },
  );

  it('leaves small memory as it is', () => {
    expect(askForHugePages(new Float32Array(1000))).toBe(false);
    expect(askForHugePages(new Float32Array())).toBe(false);
  });
});
