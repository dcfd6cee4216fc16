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
  readonly count: number;
  /** null once they are with the model: nothing of a request is held longer than it is needed. */
  columns: ExposureColumns | null;
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
  score(columns: ExposureColumns, deadline: number | null): Promise<Float32Array> {
    const { count } = columns;
    const now = performance.now();
    if (!this.#takes(count)) return Promise.reject(this.overloaded());
    if (deadline !== null && deadline <= now) return Promise.reject(tooLate());
    const { promise, resolve, reject } = promised<Float32Array>();
    const entry: Waiting = { count, columns, since: now, resolve, reject, done: false };
    this.#rows += count;
    this.#rowsPerRequest += smoothing * (count - this.#rowsPerRequest);
    this.#waiting.push(entry);
    this.#pump();
    return this.#answered(entry, promise, deadline === null ? null : deadline - now);
  }

  /** @param left milliseconds until it is too late */
  async #answered(entry: Waiting, scores: Promise<Float32Array>, left: number | null): Promise<Float32Array> {
    const end = () => {
      entry.done = true;
      entry.reject(tooLate());
    };
    const timer = left === null ? null : setTimeout(end, left);
    try {
      return await scores;
    } finally {
      if (timer !== null) clearTimeout(timer);
      this.#rows -= entry.count;
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
      const rows = this.#waiting.reduce((sum, { count }) => sum + count, 0);
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
    let taken = 0;
    for (const { count } of this.#waiting) {
      if (taken > 0 && rows + count > this.#settings.batchRows) break;
      rows += count;
      taken++;
    }
    return this.#waiting.splice(0, taken);
  }

  #run(batch: readonly Waiting[]): Promise<void> {
    const parts = batch.flatMap(({ columns }) => columns ?? []);
    for (const entry of batch) entry.columns = null;
    this.#running++;
    return this.#deal(batch, countOf(parts), this.#computed(parts));
  }

  #computed(parts: readonly ExposureColumns[]): Promise<Float32Array> {
    try {
      return this.#score(parts);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Gives everybody their own scores. */
  async #deal(batch: readonly Waiting[], rows: number, computed: Promise<Float32Array>): Promise<void> {
    const started = performance.now();
    try {
      const scores = await computed;
      let from = 0;
      for (const { count, resolve } of batch) {
        resolve(scores.slice(from, from + count));
        from += count;
      }
      const each = (performance.now() - started) / rows;
      this.#millisecondsPerRow += smoothing * (each - this.#millisecondsPerRow);
      this.#batches += 1;
      this.#batchedRows += rows;
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running--;
      this.#pump();
    }
  }
}

/** A promise that is settled from elsewhere. */
function promised<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

function tooLate(): CourierError {
  return new CourierError(
    'DEADLINE_EXCEEDED',
    'The scores were not there in time.',
    'Allow more time, send fewer candidates, or run more replicas.',
  );
}
