/** Processes that a real mpirun starts together, as Debian's mpich brings it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';

const program = '/usr/bin/mpirun';

/** Where nothing may be skipped, its absence is a failure. */
export const hasMpi = existsSync(program) || process.env['COURIER_SKIP_NOTHING'] === '1';

/** Says in a suite's name why it is skipped. */
export const underMpi = `under mpirun (needs ${program}, as of MPICH)`;

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** Longer than anything here takes: what hangs is ended, and has no exit code. */
const milliseconds = 100_000;

interface Place {
  readonly environment?: Readonly<Record<string, string>>;
  /** Where they work. */
  readonly folder?: string;
}

/**
 * Starts a program of TypeScript in so many processes.
 * @param words the file, and what it is told
 */
export function startMpi(
  processes: number,
  words: readonly string[],
  { environment = {}, folder = process.cwd() }: Place = {},
): ChildProcessWithoutNullStreams {
  const node = [process.execPath, '--import', import.meta.resolve('tsx')];
  return spawn(program, ['-n', String(processes), ...node, ...words], {
    cwd: folder,
    env: { ...process.env, COURIER_THREADS: '1', ...environment },
    timeout: milliseconds,
  });
}

/** The same, with what they have said once all have ended. */
export function mpirun(...started: Parameters<typeof startMpi>): Promise<Ran> {
  return whatItSaid(startMpi(...started));
}

/** What a process has said once it has ended. MPICH's launcher ends as if all were well (0) where its time limit ends it. */
export async function whatItSaid(child: ChildProcessWithoutNullStreams): Promise<Ran> {
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, exitCode: child.killed ? null : exitCode };
}
