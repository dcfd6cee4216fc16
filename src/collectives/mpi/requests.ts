/**
 * Collectives under way. MPI gets on with them while it is asked whether they have ended, and a blocking call would ask all the
 * time: it would keep a core from the engine, and the event loop from everything. So they are asked about from the event loop,
 * all the time for as long as moving the bytes within a machine may take, some ten thousand times a second for as long as a network
 * may take for them, and then a thousand times.
 *
 * Whoever waits looks ten times a second whether somebody has left without having come to what it waits for.
 */
import { hostname } from 'node:os';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { CourierError } from '../../errors.ts';
import type { Departure, Departures } from './departures.ts';
import { type Code, check, type Memory, type Mpi } from './library.ts';
import { sleep } from './sleep.ts';

/** Begins something that MPI then does by itself. */
export type Issue = (request: BigUint64Array) => Code;

/** A collective that this process has begun. */
interface Pending {
  readonly what: string;
  /** Which of the collectives of this process, from 1; every process has the same. */
  readonly number: number;
  readonly began: number;
  /** The requests as MPI has them, numbers or addresses, that have not ended. */
  readonly requests: Set<BigUint64Array>;
  /** What MPI reads and writes meanwhile. */
  readonly held: readonly Memory[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How long it goes on: these milliseconds, and longer by what the bytes take at this rate. */
interface Patience {
  readonly milliseconds: number;
  readonly bytesPerMillisecond: number;
}

/** Asking without a pause. */
const eager: Patience = { milliseconds: 2, bytesPerMillisecond: 500_000 };
/** Asking with pauses that are shorter than a timer's: being asked, MPI takes so little from TCP that 1 ms between would halve 1 Gbit/s. */
const brisk: Patience = { milliseconds: 20, bytesPerMillisecond: 50_000 };
const briskPauseMilliseconds = 0.1;
const pauseMilliseconds = 1;
const lookMilliseconds = 100;

export class Requests {
  readonly #mpi: Mpi;
  readonly #rank: number;
  readonly #departures: Departures;
  readonly #limit: number;
  readonly #pending = new Set<Pending>();
  /** Those that nobody waits for any more, and that MPI is not done with. */
  readonly #givenUp: Pending[] = [];
  readonly #done = new Int32Array(1);
  #begun = 0;
  #eagerUntil = 0;
  #briskUntil = 0;
  #lookAt = 0;
  #polling = false;

  /** @param limit milliseconds that a collective may take */
  constructor(mpi: Mpi, rank: number, departures: Departures, limit: number) {
    this.#mpi = mpi;
    this.#rank = rank;
    this.#departures = departures;
    this.#limit = limit;
  }

  /**
   * Begins a collective.
   * @param what it is, for messages
   * @param held memory that must stay until it has ended
   * @param issues what it is made of
   * @throws CourierError MPI_FAILED; PROCESS_MISSING where another process has left without it, or it takes too long
   */
  begin(what: string, bytes: number, held: readonly Memory[], issues: readonly Issue[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const requests = new Set<BigUint64Array>();
      const pending = { what, number: ++this.#begun, began, requests, held, resolve, reject };
      try {
        for (const issue of issues) requests.add(this.#issued(what, issue));
      } catch (error) {
        this.#giveUp(pending, error);
        return;
      }
      this.#pending.add(pending);
      this.#eagerUntil = Math.max(this.#eagerUntil, began + lengthOf(eager, bytes));
      this.#briskUntil = Math.max(this.#briskUntil, began + lengthOf(brisk, bytes));
      if (!this.#polling) void this.#poll();
    });
  }

  /**
   * Waits until all processes leave, in an event loop's last turn.
   * @returns what is wrong with that; null where all have gone through the same collectives to their end
   */
  leave(): string | null {
    const [first] = [...this.#pending, ...this.#givenUp];
    if (first !== undefined) return `Process ${this.#self()} ended while it was in ${first.what}.`;
    const other = this.#departures.leave(this.#begun, performance.now() + this.#limit);
    return other === null
      ? null
      : `Process ${placeOf(other)} ended after ${other.collectives} collectives, and process ${this.#self()} after ${this.#begun}.`;
  }

  #issued(what: string, issue: Issue): BigUint64Array {
    const request = new BigUint64Array(1);
    check(this.#mpi, issue(request), what);
    return request;
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#pending.size > 0) {
      for (const pending of this.#pending) this.#test(pending);
      if (this.#pending.size === 0) break;
      const now = performance.now();
      if (now > this.#lookAt && now >= this.#eagerUntil) this.#look(now);
      if (now >= this.#briskUntil) await setTimeout(pauseMilliseconds);
      else {
        if (now >= this.#eagerUntil) sleep(briskPauseMilliseconds);
        await setImmediate();
      }
    }
    this.#polling = false;
  }

  #test(pending: Pending): void {
    const { test, abi } = this.#mpi;
    const { what, requests } = pending;
    try {
      for (const request of requests) {
        check(this.#mpi, test(request, this.#done, abi.statusIgnore), what);
        if (this.#done[0] !== 0) requests.delete(request);
      }
    } catch (error) {
      this.#giveUp(pending, error);
      return;
    }
    if (requests.size > 0) return;
    this.#pending.delete(pending);
    pending.resolve();
  }

  /** Whether somebody has left without what is under way, or that takes too long. */
  #look(now: number): void {
    this.#lookAt = now + lookMilliseconds;
    const departures = this.#departures.look();
    for (const pending of this.#pending) {
      const { number, began } = pending;
      const missing = departures.find(({ collectives }) => collectives < number);
      if (missing !== undefined) this.#giveUp(pending, this.#left(missing, pending));
      else if (now - began > this.#limit) this.#giveUp(pending, this.#late(now - began, pending));
    }
  }

  #giveUp(pending: Pending, error: unknown): void {
    this.#pending.delete(pending);
    this.#givenUp.push(pending);
    pending.reject(error);
  }

  #left(missing: Departure, { what, number }: Pending): CourierError {
    return new CourierError(
      'PROCESS_MISSING',
      `Process ${placeOf(missing)} ended after ${missing.collectives} collectives, and process ${this.#self()} waits for it in ${what}, number ${number}.`,
      'Start all processes with the same command, files and environment; the same command again goes on.',
    );
  }

  #late(milliseconds: number, { what, number }: Pending): CourierError {
    return new CourierError(
      'PROCESS_MISSING',
      `Process ${this.#self()} has waited for the others for ${Math.round(milliseconds / 1000)} s in ${what}, collective number ${number}.`,
      `Look for a machine that hangs or is not reached, or allow more in ${waitVariable}; the same command again goes on.`,
    );
  }

  #self(): string {
    return placeOf({ rank: this.#rank, host: hostname() });
  }
}

function lengthOf({ milliseconds, bytesPerMillisecond }: Patience, bytes: number): number {
  return milliseconds + bytes / bytesPerMillisecond;
}

/** Such as `2 on host-b`. */
function placeOf({ rank, host }: Pick<Departure, 'rank' | 'host'>): string {
  return `${rank + 1} on ${host}`;
}

const waitVariable = 'COURIER_MPI_WAIT';

/**
 * Milliseconds that the environment variable COURIER_MPI_WAIT, in seconds, lets a process wait for others; by default any number, since
 * a first process may work for days while the others wait.
 * @throws CourierError CONFIG_INVALID
 */
export function longestWait({
  [waitVariable]: wanted,
}: Readonly<Record<string, string | undefined>>): number {
  if (wanted === undefined || wanted === '') return Number.POSITIVE_INFINITY;
  const seconds = Number(wanted);
  if (seconds > 0) return 1000 * seconds;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid ${waitVariable}: ${wanted}.`,
    'Set it to a number of seconds, such as 600, or unset it to wait for as long as it takes.',
  );
}
