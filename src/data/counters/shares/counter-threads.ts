/** Counters in threads, each for a share of the keys, over one log in memory that all read. */
import { Worker } from 'node:worker_threads';
import { endThread } from '../../../thread-end.ts';
import type { UserEvents } from '../../clicks.ts';
import type { Part } from '../../parts.ts';
import type { Share } from '../counter-tables.ts';
import type { CountedLog, Counting, Shares } from './counted-log.ts';

/** What a thread is started with. */
export interface ThreadShare {
  readonly log: CountedLog;
  readonly share: Share;
}

/** What it is asked; it answers with nothing once the columns of its exposures are there. */
export interface ThreadTask {
  readonly part: Part;
  readonly columns: readonly Float32Array[];
}

export class CounterThreads implements Counting {
  readonly #threads: readonly Worker[];

  private constructor(threads: readonly Worker[]) {
    this.#threads = threads;
  }

  static start(log: CountedLog, { from, to, of }: Shares): CounterThreads {
    const file = import.meta.url.endsWith('.ts') ? './counter-thread-from-source.js' : './counter-thread.js';
    const shared = inSharedMemory(log);
    return new CounterThreads(
      Array.from({ length: to - from }, (_, thread) => {
        const workerData: ThreadShare = { log: shared, share: { place: from + thread, of } };
        return new Worker(new URL(file, import.meta.url), { workerData });
      }),
    );
  }

  async fill(part: Part, columns: readonly Float32Array[], signal?: AbortSignal): Promise<void> {
    const task: ThreadTask = { part, columns };
    // All are waited for, even where one fails: none writes into memory that is given away.
    const outcomes = await Promise.allSettled(this.#threads.map((thread) => answerOf(thread, task)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    signal?.throwIfAborted();
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(endThread));
  }
}

function answerOf(thread: Worker, task: ThreadTask): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => settle(() => reject(new Error('a thread that counts has ended')));
    const failed = (error: Error) => settle(() => reject(error));
    const answered = () => settle(resolve);
    const settle = (end: () => void) => {
      thread.off('message', answered).off('error', failed).off('exit', ended);
      end();
    };
    if (thread.threadId === -1) return reject(new Error('a thread that counts has ended'));
    thread.once('message', answered).once('error', failed).once('exit', ended);
    thread.postMessage(task);
  });
}

function inSharedMemory({ clicks, shown, settings, categories, pageViews, item }: CountedLog): CountedLog {
  const events = ({ user, item, time }: UserEvents) => ({
    user: integers(user),
    item: integers(item),
    time: doubles(time),
  });
  return {
    clicks: events(clicks),
    shown: shown === null ? null : events(shown),
    settings,
    categories: categories.map(({ name, codes }) => ({ name, codes: integers(codes) })),
    pageViews: {
      user: integers(pageViews.user),
      time: doubles(pageViews.time),
      start: integers(pageViews.start),
    },
    item: integers(item),
  };
}

function integers(values: Int32Array): Int32Array {
  const shared = new Int32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}

function doubles(values: Float64Array): Float64Array {
  const shared = new Float64Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
