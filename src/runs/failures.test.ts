import { describe, expect, it } from 'vitest';
import { CourierError } from '../errors.ts';
import { type ProgressEvent, silent } from '../progress.ts';
import { Failures, nothingSucceeded } from './failures.ts';

const unit = { stage: 'embed', source: 'courier', features: null, start: null, seed: 2 } as const;
const collapsed = new CourierError('TRAINING_COLLAPSED', 'All the same.', 'Train otherwise.');

describe('failures', () => {
  it('are noted with code and message, bugs among them, and the work goes on', async () => {
    const notes: string[] = [];
    const listen = (event: ProgressEvent) => event.kind === 'note' && notes.push(event.text);
    const failures = new Failures(listen, undefined);
    expect(await failures.attempt(unit, () => Promise.reject(collapsed))).toBeNull();
    expect(await failures.attempt(unit, () => Promise.reject(new TypeError('oops')))).toBeNull();
    expect(await failures.attempt(unit, async () => 7)).toBe(7);
    expect(failures.list).toEqual([
      { ...unit, code: 'TRAINING_COLLAPSED', message: 'All the same.' },
      { ...unit, code: 'BUG', message: 'oops' },
    ]);
    expect(notes[0]).toBe('Failed: courier, seed 2 (embed, TRAINING_COLLAPSED): All the same.');
    expect(notes[1]).toContain('failures.test.ts');
    expect(nothingSucceeded(failures.list)).toMatchObject({
      code: 'COMPARISON_FAILED',
      message: expect.stringMatching(/All the same\. .*oops/),
    });
  });

  it('are not interrupts, and not a disk on which nothing can be kept', async () => {
    const stop = new AbortController();
    const failures = new Failures(silent, stop.signal);
    for (const code of ['INTERRUPTED', 'OUTPUT_IN_USE', 'OUTPUT_NOT_WRITABLE'] as const) {
      const error = new CourierError(code, 'Over.', 'Again.');
      await expect(failures.attempt(unit, () => Promise.reject(error))).rejects.toBe(error);
    }
    stop.abort();
    await expect(failures.attempt(unit, () => Promise.reject(collapsed))).rejects.toBe(collapsed);
    expect(failures.list).toEqual([]);
  });
});
