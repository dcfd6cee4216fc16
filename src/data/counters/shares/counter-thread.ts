/** A thread that counts for a share of the keys. */
import { parentPort, workerData } from 'node:worker_threads';
import { answerMessages } from '../../../thread-end.ts';
import { CounterShare } from './counter-share.ts';
import type { ThreadShare, ThreadTask } from './counter-threads.ts';

const { log, share }: ThreadShare = workerData;
const counters = new CounterShare(log, share);

answerMessages(({ part, columns }: ThreadTask) => {
  counters.fill(part, columns, log.pageViews.start[part.from]!);
  parentPort?.postMessage(null);
});
