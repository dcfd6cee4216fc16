/** A thread that counts for a share of the keys. */
import { parentPort, workerData } from 'node:worker_threads';
import { answerMessages } from '../../../thread-end.ts';
import { CounterShare } from './counter-share.ts';
import type { ThreadAnswer, ThreadShare, ThreadTask } from './counter-threads.ts';

const { log, share }: ThreadShare = workerData;
const counters = new CounterShare(log, share);

/** Whether it is done. */
function work(task: ThreadTask): ThreadAnswer {
  if (task.kind === 'observe') return counters.observe(task.view, task.most);
  counters.fill(task.part, task.columns, log.pageViews.start[task.part.from]!);
  return true;
}

answerMessages((task: ThreadTask) => parentPort?.postMessage(work(task)));
