/** The columns of counters, of all users or of a share, by this thread or by several. */
import { usableCores } from '../../../cores.ts';
import { safePlace } from '../../../progress.ts';
import type { Part } from '../../parts.ts';
import type { CountedLog, Counting, SharedColumns, Shares } from './counted-log.ts';
import { CounterShare } from './counter-share.ts';
import { CounterThreads } from './counter-threads.ts';

/** Exposures and events for which another thread is worth its start. */
const enoughForThread = 400_000;

/** Threads of one of so many processes that count a log; where it is one, it is this one. */
export function countingThreads({ item, clicks, shown }: CountedLog, processes: number): number {
  const work = item.length + clicks.time.length + (shown?.time.length ?? 0);
  return Math.max(1, Math.min(usableCores(), Math.floor(work / processes / enoughForThread)));
}

/** Counts for some shares, with a thread for each; for a single one in this thread. */
export function countHere(log: CountedLog, shares: Shares): Counting {
  const { from, to, of } = shares;
  return to - from > 1
    ? CounterThreads.start(log, shares)
    : new CountingHere(log, new CounterShare(log, { place: from, of }));
}

/** Exposures that are described without a pause, and events that are noted. */
const rowsBetweenPauses = 256;
const eventsBetweenPauses = 16_384;

class CountingHere implements Counting {
  readonly #log: CountedLog;
  readonly #share: CounterShare;

  constructor(log: CountedLog, share: CounterShare) {
    this.#log = log;
    this.#share = share;
  }

  /** What was described before is written meanwhile, by callbacks that need this thread. */
  async fill({ from, to }: Part, columns: SharedColumns, signal?: AbortSignal): Promise<void> {
    const { start } = this.#log.pageViews;
    while (from < to && !this.#share.observe(from, eventsBetweenPauses)) await safePlace(signal);
    for (let view = from; view < to; ) {
      let end = view + 1;
      while (end < to && start[end]! - start[view]! <= rowsBetweenPauses) end++;
      this.#share.fill({ from: view, to: end }, columns, start[from]!);
      view = end;
      await safePlace(signal);
    }
  }

  async close(): Promise<void> {}
}
