/**
 * How a thread ends: when it is asked to, and between two messages. Node may end one at any time, and that ends the whole process where it
 * is just then loading a native library.
 */
import { parentPort, type Worker } from 'node:worker_threads';

const end = 'end';

/** Asks a thread to end that listens by `answerMessages`. @returns once it has ended, for whatever reason */
export function endThread(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    // The number of one that has ended.
    if (worker.threadId === -1) return resolve();
    worker.once('exit', () => resolve());
    worker.postMessage(end);
  });
}

/** In a thread: takes messages until it is asked to end. */
export function answerMessages<Message>(answer: (message: Message) => void): void {
  parentPort?.on('message', (message: Message | typeof end) => {
    if (message === end) process.exit();
    answer(message);
  });
}
