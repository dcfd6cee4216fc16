/** Whether a process that wrote its name down is still there. */
import { readFile } from 'node:fs/promises';
import { hasSystemCode } from '../errors.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own words: numbers of processes come again. null where that is not told. */
  readonly started: string | null;
}

export async function thisProcess(): Promise<ProcessIdentity> {
  return { pid: process.pid, started: await startOf(process.pid) };
}

/** Of a process of this host. */
export async function isRunning({ pid, started }: ProcessIdentity): Promise<boolean> {
  if (!takesSignals(pid)) return false;
  const now = await startOf(pid);
  return now === null || started === null || now === started;
}

function takesSignals(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Of another user: it is there, and none of ours.
    return hasSystemCode(error, 'EPERM');
  }
}

const ended = 'ended';

/** Boot and clock tick at which a process started; null on systems without /proc. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name before the last parenthesis may hold anything; state and start are fields 3 and 22 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A killed process that nobody has asked about yet still has its number.
    if (fields[0] === 'Z' || fields[0] === 'X') return ended;
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${fields[19]}`;
  } catch {
    return null;
  }
}
