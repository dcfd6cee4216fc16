/** What the command line prints while it works and when it fails: all of it for people, on standard error. */
import { inspect } from 'node:util';
import cliProgress from 'cli-progress';
import { CourierError, hasSystemCode } from '../errors.ts';
import type { Progress, ProgressEvent } from '../progress.ts';
import { counted, duration, integer, oneLine, percent, printable } from '../text.ts';

/** A stream of text that may be a terminal, such as `process.stderr`. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Whoever reads may have read enough, as `head` does: the rest is dropped, and the work goes on. */
export function outliveReaders(...streams: readonly OutputStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error) => {
      if (!hasSystemCode(error, 'EPIPE')) throw error;
    });
  }
}

export interface ProgressOutput {
  readonly progress: Progress;
  /** Takes an unfinished bar away. Call it when the work is over, however it ended. */
  stop(): void;
}

/** Seconds since some moment, never going back. */
export type Clock = () => number;

const monotonic: Clock = () => performance.now() / 1000;

/** Plain lines of one stage come at most this often, in seconds. */
const secondsBetweenLines = 10;

/**
 * Shows progress events: bars with rate and time left on a terminal; elsewhere plain lines at the start, at
 * most every 10 seconds, and at the end with the seconds taken. Control characters in texts are taken out.
 */
export function terminalProgress(stream: OutputStream, clock: Clock = monotonic): ProgressOutput {
  return stream.isTTY === true ? bars(stream, clock) : { progress: lines(stream, clock), stop: () => {} };
}

/**
 * What to print for something thrown, and the exit code: 1 with message and remedy for an error that the
 * user can mend, 2 with the stack for a bug.
 */
export function describeError(error: unknown): { text: string; exitCode: 1 | 2 } {
  if (error instanceof CourierError) {
    const [message, remedy] = [oneLine(error.message, 2000), oneLine(error.remedy, 2000)];
    return { text: `Error: ${message}\n${remedy} [${error.code}]`, exitCode: 1 };
  }
  const request = 'This is a bug in courier. Please report it together with the lines below.';
  return { text: `${request}\n\n${printable(inspect(error))}`, exitCode: 2 };
}

interface Stage {
  readonly total: number;
  readonly unit: string;
  readonly started: number;
  /** The first advance: a resumed stage starts far from zero, which is no speed. */
  first: { readonly done: number; readonly time: number } | undefined;
  done: number;
  detail: string;
}

type StartEvent = Extract<ProgressEvent, { kind: 'start' }>;
type AdvanceEvent = Extract<ProgressEvent, { kind: 'advance' }>;

function newStage({ total, unit }: StartEvent, now: number): Stage {
  return { total, unit: oneLine(unit, 40), started: now, first: undefined, done: 0, detail: '' };
}

function advanceStage(stage: Stage, { done, detail }: AdvanceEvent, now: number): void {
  stage.first ??= { done, time: now };
  stage.done = done;
  if (detail !== undefined) stage.detail = oneLine(detail);
}

/** Such as `3,400 of 12,000 images (28 %), 431 images/s, 20 s left, loss 3.1`. */
function describeStage(stage: Stage, now: number): string {
  const { total, unit, done, first, detail } = stage;
  const parts = [
    total > 0
      ? `${integer(done)} of ${counted(total, unit)} (${percent(done / total)})`
      : counted(done, unit),
  ];
  const rate = first === undefined || now <= first.time ? 0 : (done - first.done) / (now - first.time);
  if (rate > 0) parts.push(`${rate < 10 ? rate.toFixed(1) : integer(rate)} ${unit}/s`);
  if (rate > 0 && total > done) parts.push(`${duration((total - done) / rate)} left`);
  if (detail !== '') parts.push(detail);
  return parts.join(', ');
}

function describeEnd(
  name: string,
  stage: Stage | undefined,
  detail: string | undefined,
  now: number,
): string {
  const time = stage === undefined ? '' : ` in ${duration(now - stage.started)}`;
  return `${oneLine(name, 60)}: done${time}${detail === undefined ? '' : `, ${oneLine(detail)}`}`;
}

function lines(stream: OutputStream, clock: Clock): Progress {
  const stages = new Map<string, Stage & { printed: number }>();
  const print = (text: string) => stream.write(`${text}\n`);
  return (event) => {
    const now = clock();
    if (event.kind === 'note') {
      print(oneLine(event.text, 500));
      return;
    }
    const name = oneLine(event.stage, 60);
    const stage = stages.get(event.stage);
    if (event.kind === 'start') {
      const started = { ...newStage(event, now), printed: now };
      stages.set(event.stage, started);
      print(`${name}: ${event.total > 0 ? counted(event.total, started.unit) : 'started'}`);
    } else if (event.kind === 'end') {
      print(describeEnd(event.stage, stage, event.detail, now));
      stages.delete(event.stage);
    } else if (stage !== undefined) {
      advanceStage(stage, event, now);
      if (now - stage.printed < secondsBetweenLines) return;
      stage.printed = now;
      print(`${name}: ${describeStage(stage, now)}`);
    }
  };
}

/** One bar at a time, of the stage that started last; what is said for good goes above it. */
function bars(stream: OutputStream, clock: Clock): ProgressOutput {
  const stages = new Map<string, Stage>();
  let bar: cliProgress.SingleBar | undefined;
  const hide = () => {
    bar?.stop();
    bar = undefined;
  };
  const show = () => {
    const shown = [...stages].at(-1);
    if (shown === undefined) return;
    bar = new cliProgress.SingleBar(barOptions(stream));
    const [name, stage] = shown;
    const payload = { name: oneLine(name, 60), text: describeStage(stage, clock()) };
    bar.start(Math.max(1, stage.total), stage.done, payload);
  };
  const print = (text: string) => {
    hide();
    stream.write(`${text}\n`);
    show();
  };
  const progress: Progress = (event) => {
    const now = clock();
    if (event.kind === 'note') {
      print(oneLine(event.text, 500));
      return;
    }
    const stage = stages.get(event.stage);
    if (event.kind === 'start') {
      hide();
      stages.delete(event.stage);
      stages.set(event.stage, newStage(event, now));
      show();
    } else if (event.kind === 'end') {
      stages.delete(event.stage);
      print(describeEnd(event.stage, stage, event.detail, now));
    } else if (stage !== undefined) {
      advanceStage(stage, event, now);
      if ([...stages.keys()].at(-1) === event.stage) {
        bar?.update(event.done, { text: describeStage(stage, now) });
      }
    }
  };
  return { progress, stop: hide };
}

function barOptions(stream: OutputStream): cliProgress.Options {
  return {
    stream,
    format: '{name} {bar} {text}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    // Leaves the terminal's own wrapping alone, so that nothing needs mending after a kill; cuts the line.
    linewrap: true,
  };
}
