/**
 * Collectives under way. MPI gets on with them while it is asked whether they have ended, and a blocking call would ask all the
 * time: it would keep a core from the engine, and the event loop from everything. So they are asked about from the event loop,
 * all the time for as long as moving the bytes may take, then a thousand times a second.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type Code, check, type Memory, type Mpi } from './library.ts';

interface Pending {
  readonly what: string;
  /** The request as MPI has it, a number or an address. */
  readonly request: BigUint64Array;
  /** What MPI reads and writes meanwhile. */
  readonly held: readonly Memory[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Asking without a pause: this long, and longer by what the bytes take at this rate. */
const eagerMilliseconds = 2;
const bytesPerMillisecond = 500_000;
const pauseMilliseconds = 1;

export class Requests {
  readonly #mpi: Mpi;
  readonly #pending = new Set<Pending>();
  readonly #done = new Int32Array(1);
  #eagerUntil = 0;
  #polling = false;

  constructor(mpi: Mpi) {
    this.#mpi = mpi;
  }

  /** Whether anything is under way. */
  get busy(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * Begins a collective.
   * @param what it is, for messages
   * @param held memory that must stay until it has ended
   * @throws CourierError MPI_FAILED
   */
  begin(
    what: string,
    bytes: number,
    held: readonly Memory[],
    issue: (request: BigUint64Array) => Code,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = new BigUint64Array(1);
      check(this.#mpi, issue(request), what);
      this.#pending.add({ what, request, held, resolve, reject });
      const until = performance.now() + eagerMilliseconds + bytes / bytesPerMillisecond;
      this.#eagerUntil = Math.max(this.#eagerUntil, until);
      if (!this.#polling) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.busy) {
      for (const pending of this.#pending) this.#test(pending);
      if (!this.busy) break;
      await (performance.now() < this.#eagerUntil ? setImmediate() : setTimeout(pauseMilliseconds));
    }
    this.#polling = false;
  }

  #test(pending: Pending): void {
    const { test, abi } = this.#mpi;
    const { what, request, resolve, reject } = pending;
    try {
      check(this.#mpi, test(request, this.#done, abi.statusIgnore), what);
    } catch (error) {
      this.#pending.delete(pending);
      reject(error);
      return;
    }
    if (this.#done[0] === 0) return;
    this.#pending.delete(pending);
    resolve();
  }
}
