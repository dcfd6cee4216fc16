/** Score requests that arrive side by side as one run of the model, and no more of them than can be answered. */
import { CourierError } from '../errors.ts';
import { countOf, type ExposureColumns } from '../rankers/exposure-columns.ts';

export interface QueueSettings {
  /** How long the first request of a batch waits for company at most. Milliseconds. */
  readonly window: number;
  /** Exposures in a batch at most; a request that has more is a batch of its own. */
  readonly batchRows: number;
  /** Exposures that wait or are computed at most. */
  readonly queueRows: number;
}

/** More is asked than can be answered: the same may be asked again after a while. */
export class OverloadedError extends CourierError {
  /** Milliseconds. */
  readonly retryAfter: number;

  constructor(waiting: number, retryAfter: number) {
    super(
      'OVERLOADED',
      `The service is overloaded: ${waiting} exposures wait for their scores.`,
      `Ask again after ${retryAfter} ms, or run more replicas.`,
    );
    this.retryAfter = retryAfter;
  }
}

interface Waiting {
  readonly columns: ExposureColumns;
  readonly since: number;
  readonly resolve: (scores: Float32Array) => void;
  readonly reject: (error: unknown) => void;
  /** Set once it has been answered. */
  done: boolean;
}

/** Batches that are with the compute thread at a time: the next one waits there, so that it is never idle. */
const underWay = 2;

/** Weight of the newest in the running means of how long a row takes and of how many a request has. */
const smoothing = 0.1;

export class ScoreQueue {
  readonly #score: (parts: readonly ExposureColumns[]) => Promise<Float32Array>;
  readonly #settings: QueueSettings;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | null = null;
  #running = 0;
  /** Exposures that wait or are computed. */
  #rows = 0;
  #millisecondsPerRow = 0.05;
  #rowsPerRequest = 1;
  #batches = 0;
  #batchedRows = 0;
  #idle: (() => void)[] = [];

  /** @param score scores of all parts, one after the other, by one run of the model */
  constructor(score: (parts: readonly ExposureColumns[]) => Promise<Float32Array>, settings: QueueSettings) {
    this.#score = score;
    this.#settings = settings;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Batches that were computed, and exposures in them. */
  get computed(): { readonly batches: number; readonly rows: number } {
    return { batches: this.#batches, rows: this.#batchedRows };
  }

  /** Whether a request of which nobody knows more than that it comes would be taken, had it as many exposures as those before. */
  get hasRoom(): boolean {
    return this.#takes(this.#rowsPerRequest);
  }

  /**
   * Asks before work is done for a request. An empty queue takes any.
   * @throws OverloadedError
   */
  admit(rows: number): void {
    if (!this.#takes(rows)) throw this.overloaded();
  }

  /** What is said to whom there is no room for. */
  overloaded(): OverloadedError {
    return new OverloadedError(this.#rows, Math.max(1, Math.ceil(this.#rows * this.#millisecondsPerRow)));
  }

  #takes(rows: number): boolean {
    return this.#rows === 0 || this.#rows + rows <= this.#settings.queueRows;
  }

  /**
   * The scores of some exposures.
   * @param deadline by `performance.now()`; null to wait as long as it takes
   * @throws CourierError DEADLINE_EXCEEDED, and those of the model; OverloadedError
   */
  async score(columns: ExposureColumns, deadline: number | null): Promise<Float32Array> {
    this.admit(columns.count);
    const now = performance.now();
    if (deadline !== null && deadline <= now) throw tooLate();
    this.#rows += columns.count;
    this.#rowsPerRequest += smoothing * (columns.count - this.#rowsPerRequest);
    let timer: NodeJS.Timeout | null = null;
    try {
      return await new Promise<Float32Array>((resolve, reject) => {
        const entry: Waiting = { columns, since: now, resolve, reject, done: false };
        if (deadline !== null)
          timer = setTimeout(() => {
            entry.done = true;
            reject(tooLate());
          }, deadline - now);
        this.#waiting.push(entry);
        this.#pump();
      });
    } finally {
      if (timer !== null) clearTimeout(timer);
      this.#rows -= columns.count;
      if (this.#rows === 0) for (const wake of this.#idle.splice(0)) wake();
    }
  }

  /** Resolves when everything that was asked is answered. */
  idle(): Promise<void> {
    return this.#rows === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #pump(): void {
    while (this.#running < underWay) {
      this.#waiting = this.#waiting.filter(({ done }) => !done);
      const [first] = this.#waiting;
      if (first === undefined) return;
      const rows = this.#waiting.reduce((sum, { columns }) => sum + columns.count, 0);
      const left = first.since + this.#settings.window - performance.now();
      if (rows < this.#settings.batchRows && left > 0) {
        this.#timer ??= setTimeout(() => {
          this.#timer = null;
          this.#pump();
        }, left);
        return;
      }
      void this.#run(this.#take());
    }
  }

  /** The oldest, as many as fit together. */
  #take(): readonly Waiting[] {
    let rows = 0;
    let count = 0;
    for (const { columns } of this.#waiting) {
      if (count > 0 && rows + columns.count > this.#settings.batchRows) break;
      rows += columns.count;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    this.#running++;
    const started = performance.now();
    const parts = batch.map(({ columns }) => columns);
    const count = countOf(parts);
    try {
      const scores = await this.#score(parts);
      let from = 0;
      for (const { columns: own, resolve } of batch) {
        resolve(scores.slice(from, from + own.count));
        from += own.count;
      }
      const each = (performance.now() - started) / count;
      this.#millisecondsPerRow += smoothing * (each - this.#millisecondsPerRow);
      this.#batches += 1;
      this.#batchedRows += count;
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running--;
      this.#pump();
    }
  }
}

function tooLate(): CourierError {
  return new CourierError(
    'DEADLINE_EXCEEDED',
    'The scores were not there in time.',
    'Allow more time, send fewer candidates, or run more replicas.',
  );
}
