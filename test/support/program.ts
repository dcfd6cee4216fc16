/** The command line as a process of its own, which can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url));

/** Starts a command. @param folder where it works */
export function startCourier(words: readonly string[], folder: string): ChildProcess {
  const node = ['--import', import.meta.resolve('tsx'), bin];
  return spawn(process.execPath, [...node, ...words], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

export interface Ended {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** What a started command ends with. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode, stderr };
}
