import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { endThread } from './thread-end.ts';

/** A thread that takes its time to begin, as while a native library is loaded, then answers messages by counting them. */
function slowThread() {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const source = `
    const { workerData: state } = require('node:worker_threads');
    Atomics.wait(state, 1, 0, 200);
    require('tsx/cjs/api').register();
    const { answerMessages } = require(${JSON.stringify(fileURLToPath(new URL('./thread-end.ts', import.meta.url)))});
    Atomics.store(state, 0, 1);
    answerMessages(() => Atomics.add(state, 1, 1));`;
  return { worker: new Worker(source, { eval: true, workerData: state }), state };
}

it('ends a thread only once it has begun, and what it was told before is done', async () => {
  const { worker, state } = slowThread();
  worker.postMessage('work');
  worker.postMessage('work');
  await endThread(worker);
  expect([...state]).toEqual([1, 2]);
  expect(worker.threadId).toBe(-1);
});

it('knows a thread that has ended already, or fails', async () => {
  const { worker } = slowThread();
  await endThread(worker);
  await endThread(worker);
  const failing = new Worker('throw new Error("broken")', { eval: true });
  failing.on('error', () => {});
  await endThread(failing);
  expect(failing.threadId).toBe(-1);
});
