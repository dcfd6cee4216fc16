/** What every command shares: options, progress, the last line, errors. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { oneProcess } from '../collectives/one-process.ts';
import type { ProcessGroup } from '../collectives/process-group.ts';
import { processGroup, withoutOthers } from '../collectives/world.ts';
import { CourierError, messageOf } from '../errors.ts';
import { type Progress, silent } from '../progress.ts';
import { describeError, type OutputStream, terminalProgress } from './output.ts';
import type { SettingsOptions } from './settings.ts';

/** Where a command writes, and what may stop it: the process' own, or a test's. */
export interface Terminal {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Aborted by Ctrl-C and what asks like it: work stops at the next safe place. */
  readonly signal: AbortSignal;
  /** Has SIGHUP mean something else than to stop. */
  readonly onHangUp: (listener: () => void) => void;
  /** How the user starts this program, such as `courier`. */
  readonly program: string;
  /** The words after it. */
  readonly words: readonly string[];
}

export interface CommandContext {
  /** The processes that work on the command; this one alone where the others wait. */
  readonly group: ProcessGroup;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly command: string;
  /** A result for people, on standard output unless that is kept for JSON. */
  print(text: string): void;
}

export interface CommonOptions extends SettingsOptions {
  readonly json?: boolean;
}

/** Told to `main` by whichever command ran. */
export interface Outcome {
  exitCode: 0 | 1 | 2;
}

/** Two command lines that end the help of a command; a test runs them all, in the order of the commands. */
export type Examples = readonly [string, string];

export function exampleText(examples: Examples): string {
  return `\nExamples:\n${examples.map((example) => `  ${example.replaceAll('\n', '\n    ')}\n`).join('')}`;
}

/** A command with the options that all have. */
export function command(name: string, description: string, examples: Examples): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', exampleText(examples))
    .option('--json', 'end standard output with one JSON object')
    .option('--config <file>', 'read settings from a JSON file')
    .option(
      '--set <key=value>',
      'set one setting, such as encoder.width=128; may be repeated',
      (value, before: readonly string[] = []) => [...before, value],
    );
}

/** Who works on a command that several processes were started with. */
export type Workers = 'all processes' | 'the first process';

/**
 * Runs the work of a command. Its result becomes the last line of standard output with `--json`; an error
 * becomes one readable message and the exit code. Of several processes the first speaks for all.
 */
export async function execute(
  options: CommonOptions,
  terminal: Terminal,
  outcome: Outcome,
  work: (context: CommandContext) => Promise<Readonly<Record<string, unknown>>>,
  workers: Workers = 'the first process',
): Promise<void> {
  const json = options.json === true;
  const output = terminalProgress(terminal.stderr);
  const answer = (value: unknown) => json && terminal.stdout.write(`${JSON.stringify(value)}\n`);
  let rank = 0;
  try {
    const group = await processGroup();
    rank = group.rank;
    const isFirst = rank === 0;
    const context: CommandContext = {
      group: workers === 'all processes' ? group : oneProcess,
      progress: isFirst ? output.progress : silent,
      signal: terminal.signal,
      command: [terminal.program, ...terminal.words].join(' '),
      print: (text) => isFirst && (json ? terminal.stderr : terminal.stdout).write(`${text}\n`),
    };
    const result = await (workers === 'all processes'
      ? work(context)
      : isFirst
        ? withoutOthers(() => work(context))
        : {});
    await group.barrier();
    output.stop();
    if (isFirst) answer({ ok: true, ...result });
  } catch (thrown) {
    output.stop();
    const error = terminal.signal.aborted && !(thrown instanceof CourierError) ? interrupted() : thrown;
    const { text, exitCode } = describeError(error);
    // What went wrong for all is told by the first process, which then ends the others.
    if (rank > 0) await sleep(secondsForTheFirst * 1000);
    terminal.stderr.write(rank > 0 ? `Of the processes, number ${rank + 1}:\n${text}\n` : `${text}\n`);
    outcome.exitCode = exitCode;
    const code = error instanceof CourierError ? error.code : 'BUG';
    if (rank === 0) answer({ ok: false, error: { code, message: messageOf(error) } });
  }
}

const secondsForTheFirst = 1;

function interrupted(): CourierError {
  return new CourierError('INTERRUPTED', 'Stopped.', 'Run the same command again to go on.');
}
