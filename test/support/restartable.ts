/** A server process that can be ended as if its machine had, and is started again. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Restartable {
  readonly pid: number | undefined;
  /** Kills it, and starts it again on what lies on its disk. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

/** @param start resolves when the process answers */
export async function restartable(start: () => Promise<ChildProcess>): Promise<Restartable> {
  let running = await start();
  const end = async (signal: NodeJS.Signals) => {
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };
  return {
    get pid() {
      return running.pid;
    },
    async crash() {
      await end('SIGKILL');
      running = await start();
    },
    close: () => end('SIGTERM'),
  };
}
