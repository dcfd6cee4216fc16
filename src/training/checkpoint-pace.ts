/** When it is time for a checkpoint: often enough that little is lost, and at a hundredth of the time at most. */

/** From the beginning of one to that of the next at least. */
const shortest = 10_000;

/** Of the time, that may go into checkpoints. What is written while training goes on costs less than that. */
const share = 0.01;

/** All times are milliseconds of one clock. */
export class CheckpointPace {
  #next: number;

  /** @param now when the training begins */
  constructor(now = performance.now()) {
    this.#next = now + shortest;
  }

  isDue(now: number): boolean {
    return now >= this.#next;
  }

  /** A checkpoint is taken: none is due until it is written. */
  begin(): void {
    this.#next = Number.POSITIVE_INFINITY;
  }

  /** It was written, or could not be. */
  end(began: number, ended: number): void {
    this.#next = began + Math.max(shortest, (ended - began) / share);
  }
}
