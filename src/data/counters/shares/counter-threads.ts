/** Counters in threads, each for a share of the keys, over one log in memory that all read. */
import { Worker } from 'node:worker_threads';
import { programFile } from '../../../program-file.ts';
import { endThread } from '../../../thread-end.ts';
import type { UserEvents } from '../../clicks.ts';
import type { Part } from '../../parts.ts';
import type { Share } from '../counter-tables.ts';
import type { CountedLog, Counting, SharedColumns, Shares } from './counted-log.ts';

/** What a thread is started with. */
export interface ThreadShare {
  readonly log: CountedLog;
  readonly share: Share;
}

/** What it is asked. */
export type ThreadTask =
  | { readonly kind: 'observe'; readonly view: number; readonly most: number }
  | { readonly kind: 'fill'; readonly part: Part; readonly columns: SharedColumns };

/** Whether that was all: not yet where there are more events to take note of. */
export type ThreadAnswer = boolean;

/** Events that are noted before a signal is looked at: some tenths of a second. */
const eventsAtOnce = 2 ** 20;

/** Threads that each count for one share, until they are closed. */
export class CounterThreads implements Counting {
  readonly #threads: readonly CounterThread[];

  private constructor(threads: readonly CounterThread[]) {
    this.#threads = threads;
  }

  static start(log: CountedLog, { from, to, of }: Shares): CounterThreads {
    const shared = inSharedMemory(log);
    return new CounterThreads(
      Array.from(
        { length: to - from },
        (_, thread) => new CounterThread({ log: shared, share: { place: from + thread, of } }),
      ),
    );
  }

  async fill(part: Part, columns: SharedColumns, signal?: AbortSignal): Promise<void> {
    const observed = { kind: 'observe', view: part.from, most: eventsAtOnce } as const;
    while (part.from < part.to && !(await this.#ask(observed))) signal?.throwIfAborted();
    await this.#ask({ kind: 'fill', part, columns });
    signal?.throwIfAborted();
  }

  /** All are waited for, even where one fails: none writes into memory that is given away. @returns whether all are done */
  async #ask(task: ThreadTask): Promise<boolean> {
    const outcomes = await Promise.allSettled(this.#threads.map((thread) => thread.ask(task)));
    let areDone = true;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      areDone &&= outcome.value;
    }
    return areDone;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

/** One thread, which is asked for one thing at a time. */
class CounterThread {
  readonly #worker: Worker;
  #waiting: { resolve(answer: ThreadAnswer): void; reject(error: Error): void } | null = null;
  /** Why it no longer answers. */
  #failure: Error | null = null;

  constructor(workerData: ThreadShare) {
    const { place, of } = workerData.share;
    this.#worker = new Worker(programFile(import.meta.url, 'counter-thread'), { workerData });
    this.#worker.on('message', (answer: ThreadAnswer) => {
      this.#waiting?.resolve(answer);
      this.#waiting = null;
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) =>
      this.#fail(new Error(`thread ${place + 1} of ${of} that count ended with code ${code}`)),
    );
  }

  ask(task: ThreadTask): Promise<ThreadAnswer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(task);
    });
  }

  end(): Promise<void> {
    return endThread(this.#worker);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
  }
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
