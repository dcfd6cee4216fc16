import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CourierError } from '../errors.ts';
import { describeError, terminalProgress } from './output.ts';

/** Keeps what is written, as a terminal or as a file would get it. */
class Screen extends Writable {
  readonly isTTY: boolean;
  readonly columns = 100;
  text = '';

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

/** A clock that the test sets. */
function handClock() {
  let now = 0;
  return { clock: () => now, set: (seconds: number) => (now = seconds) };
}

const start = { kind: 'start', stage: 'pretrain', total: 1000, unit: 'images' } as const;

describe('terminalProgress without a terminal', () => {
  it('prints the start, at most one line every 10 seconds, and the end with its seconds', () => {
    const screen = new Screen(false);
    const { clock, set } = handClock();
    const { progress } = terminalProgress(screen, clock);
    progress(start);
    for (let second = 1; second <= 25; second++) {
      set(second);
      progress({ kind: 'advance', stage: 'pretrain', done: 20 * second, detail: 'loss 3.1' });
    }
    progress({ kind: 'end', stage: 'pretrain', detail: 'loss 3.0' });
    expect(screen.lines).toEqual([
      'pretrain: 1,000 images',
      'pretrain: 200 of 1,000 images (20 %), 20 images/s, 40 s left, loss 3.1',
      'pretrain: 400 of 1,000 images (40 %), 20 images/s, 30 s left, loss 3.1',
      'pretrain: done in 25 s, loss 3.0',
    ]);
  });

  it('takes what a resumed stage starts with for no speed', () => {
    const screen = new Screen(false);
    const { clock, set } = handClock();
    const { progress } = terminalProgress(screen, clock);
    progress(start);
    set(1);
    progress({ kind: 'advance', stage: 'pretrain', done: 900 });
    set(11);
    progress({ kind: 'advance', stage: 'pretrain', done: 950 });
    expect(screen.lines.at(-1)).toBe('pretrain: 950 of 1,000 images (95 %), 5.0 images/s, 10 s left');
  });

  it('shows neither percent nor time left when the total is unknown', () => {
    const screen = new Screen(false);
    const { clock, set } = handClock();
    const { progress } = terminalProgress(screen, clock);
    progress({ kind: 'start', stage: 'ingest', total: 0, unit: 'rows' });
    progress({ kind: 'advance', stage: 'ingest', done: 0 });
    set(10);
    progress({ kind: 'advance', stage: 'ingest', done: 5000 });
    expect(screen.lines).toEqual(['ingest: started', 'ingest: 5,000 rows, 500 rows/s']);
  });

  it('keeps nested stages apart', () => {
    const screen = new Screen(false);
    const { clock, set } = handClock();
    const { progress } = terminalProgress(screen, clock);
    progress({ ...start, stage: 'compare' });
    set(3);
    progress(start);
    set(5);
    progress({ kind: 'end', stage: 'pretrain' });
    set(8);
    progress({ kind: 'end', stage: 'compare' });
    expect(screen.lines.slice(2)).toEqual(['pretrain: done in 2.0 s', 'compare: done in 8.0 s']);
  });
});

describe('terminalProgress on a terminal', () => {
  it('draws a bar with rate and time left, and leaves one line behind for a finished stage', () => {
    const screen = new Screen(true);
    const { clock, set } = handClock();
    const { progress, stop } = terminalProgress(screen, clock);
    progress(start);
    progress({ kind: 'advance', stage: 'pretrain', done: 0 });
    set(10);
    progress({ kind: 'advance', stage: 'pretrain', done: 500, detail: 'loss 3.1' });
    progress({ kind: 'end', stage: 'pretrain' });
    stop();
    expect(screen.text).toContain(
      `${'█'.repeat(12)}${'░'.repeat(12)} 500 of 1,000 images (50 %), 50 images/s, 10 s left`,
    );
    expect(screen.lines).toHaveLength(1);
    expect(screen.lines[0]?.endsWith('pretrain: done in 10 s')).toBe(true);
  });

  it('goes on with the outer bar after the inner stage has ended', () => {
    const screen = new Screen(true);
    const { progress, stop } = terminalProgress(screen, () => 0);
    progress({ kind: 'start', stage: 'compare', total: 4, unit: 'models' });
    progress({ kind: 'advance', stage: 'compare', done: 1 });
    progress(start);
    progress({ kind: 'end', stage: 'pretrain' });
    const after = screen.text.slice(screen.text.indexOf('pretrain: done'));
    expect(after).toContain('compare ██████░');
    expect(after).toContain('1 of 4 models (25 %)');
    stop();
  });

  it('writes notes above the bar and draws nothing after it was stopped', () => {
    const screen = new Screen(true);
    const { progress, stop } = terminalProgress(screen, () => 0);
    progress({ kind: 'note', text: '3 photos are missing' });
    progress(start);
    progress({ kind: 'note', text: 'resuming at step 40' });
    stop();
    expect(screen.lines[0]).toBe('3 photos are missing');
    expect(screen.lines[1]?.endsWith('resuming at step 40')).toBe(true);
    const before = screen.text;
    progress({ kind: 'advance', stage: 'pretrain', done: 10 });
    expect(screen.text).toBe(before);
  });
});

describe('texts from outside', () => {
  it.each([true, false])('cannot send control characters to the stream (terminal: %s)', (isTTY) => {
    const screen = new Screen(isTTY);
    const { progress, stop } = terminalProgress(screen, () => 0);
    const hostile = 'a\u001b[2Jb\u0007\r\n\u009b31m\u202ec';
    progress({ kind: 'note', text: hostile });
    progress({ kind: 'start', stage: hostile, total: 2, unit: hostile });
    progress({ kind: 'advance', stage: hostile, done: 1, detail: hostile });
    progress({ kind: 'end', stage: hostile, detail: hostile });
    stop();
    for (const control of ['\u001b[2J', '\u0007', '\r', '\u009b', '\u202e']) {
      expect(screen.text).not.toContain(control);
    }
    expect(screen.lines[0]).toBe('a [2Jb    31m c');
  });
});

describe('describeError', () => {
  it('shows message, remedy and code of a user error, without a stack, and exits with 1', () => {
    const error = new CourierError(
      'FILE_NOT_FOUND',
      'Click log not found: a\u001b[2J.csv',
      'Check the path.',
    );
    expect(describeError(error)).toEqual({
      text: 'Error: Click log not found: a [2J.csv\nCheck the path. [FILE_NOT_FOUND]',
      exitCode: 1,
    });
  });

  it('shows the stack and the cause of anything else, asks to report it, and exits with 2', () => {
    const { text, exitCode } = describeError(
      new TypeError('x is undefined', { cause: new Error('deep cause') }),
    );
    expect(exitCode).toBe(2);
    expect(text).toMatch(/bug.*report/);
    expect(text).toContain('TypeError: x is undefined');
    expect(text).toContain('output.test.ts');
    expect(text).toContain('deep cause');
  });

  it('survives what is no error at all', () => {
    expect(describeError('just\u001b text')).toMatchObject({ exitCode: 2 });
    expect(describeError(undefined).text).toContain('undefined');
  });
});
