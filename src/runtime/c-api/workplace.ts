/** What the sessions and states of one engine share: a thread, an order of work, an end. */
import { type Environment, environmentOf } from './environment.ts';
import type { Api, Pointer } from './library.ts';
import { check, made } from './status.ts';
import { ComputeThread } from './thread.ts';

/** What holds memory that JavaScript does not collect. */
export interface Part {
  /** Called once, when nothing is computing. */
  free(): void | Promise<void>;
}

export class Workplace {
  readonly environment: Environment;
  readonly thread: ComputeThread;
  /** Those of every run, so that all can be ended together. */
  readonly runOptions: Pointer;
  readonly #parts = new Set<Part>();
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(api: Api) {
    this.environment = environmentOf(api);
    this.runOptions = made(api, (out) => api.createRunOptions(out));
    this.thread = new ComputeThread(api);
  }

  /** One task after the other, in the order in which they came. @throws Error once it is closed */
  inTurn<Result>(task: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => {
      this.#assertOpen();
      return task();
    });
    this.#last = result.catch(() => {});
    return result.catch(async (error: unknown) => {
      // Whoever closes looks at what he has begun once that is done: an error before would go unhandled.
      await this.#closing;
      this.#assertOpen();
      throw error;
    });
  }

  add(part: Part): void {
    this.#parts.add(part);
  }

  /** Frees a part when its turn has come, unless it is free. */
  discard(part: Part): Promise<void> {
    return this.inTurn(() => this.#free(part));
  }

  /** Ends what is being computed, and frees everything. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { api } = this.environment;
    check(api, api.runOptionsSetTerminate(this.runOptions));
    await this.#last;
    for (const part of this.#parts) await this.#free(part);
    api.releaseRunOptions(this.runOptions);
    await this.thread.close();
  }

  async #free(part: Part): Promise<void> {
    if (this.#parts.delete(part)) await part.free();
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new Error('the compute thread ended');
  }
}
