/** A limit for a call that keeps the thread, such as MPI's beginning, which waits for processes that may never come. */
import { Worker } from 'node:worker_threads';

/** In a thread of its own, since the other one is kept. What a console says would be handed to that one. */
const watch = `
  const { workerData: { milliseconds, message } } = require('node:worker_threads');
  setTimeout(() => {
    require('node:fs').writeSync(2, message);
    process.kill(process.pid, 'SIGKILL');
  }, milliseconds);
`;

/** Kills this process, with a message, where the work takes longer. */
export function withinTime<T>(milliseconds: number, message: string, work: () => T): T {
  const watcher = new Worker(watch, { eval: true, workerData: { milliseconds, message } });
  watcher.unref();
  try {
    return work();
  } finally {
    void watcher.terminate();
  }
}
