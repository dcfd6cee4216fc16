/**
 * How processes leave: each tells the first one, and that one tells all others, how many collectives it has gone through. So nobody
 * waits for a process that is gone, and none is gone before all have gone through the same.
 */
import { hostname } from 'node:os';
import { z } from 'zod';
import { parseJson } from '../../storage/json.ts';
import { check, type Mpi } from './library.ts';
import { sleep } from './sleep.ts';

const departureSchema = z.object({ collectives: z.int(), host: z.string() });

/** A process that has left. */
export type Departure = z.infer<typeof departureSchema> & { readonly rank: number };

/** Of messages from one process to another; those of an exchange have another. */
const tag = 1;

/** Longer than the name of any host. */
const messageBytes = 512;

const pauseMilliseconds = 1;

export class Departures {
  readonly #mpi: Mpi;
  /** Those with whom departures are told: the first process with all, all with the first. */
  readonly #partners: readonly number[];
  readonly #known = new Map<number, Departure>();
  readonly #flag = new Int32Array(1);

  constructor(mpi: Mpi, rank: number, size: number) {
    this.#mpi = mpi;
    this.#partners = rank === 0 ? Array.from({ length: size - 1 }, (_, other) => other + 1) : [0];
  }

  /** Those that are known to have left by now. */
  look(): readonly Departure[] {
    for (const rank of this.#partners) {
      if (!this.#known.has(rank) && this.#hasTold(rank)) this.#known.set(rank, this.#receive(rank));
    }
    return [...this.#known.values()];
  }

  /**
   * Tells that this process leaves, and waits until the others do: without a turn of the event loop, since the process ends.
   * @param collectives that this process has gone through
   * @param until when it waits, as `performance.now()` has it
   * @returns the first that leaves after another number of them; null where all leave after as many, and where they do not leave
   */
  leave(collectives: number, until: number): Departure | null {
    const message = new Uint8Array(messageBytes).fill(' '.charCodeAt(0));
    new TextEncoder().encodeInto(JSON.stringify({ collectives, host: hostname() }), message);
    const sent = this.#partners.map((rank) => this.#begin(message, rank, 'isend'));
    while (true) {
      const other = this.look().find((departure) => departure.collectives !== collectives);
      if (other !== undefined) return other;
      if (sent.every((request) => this.#isDone(request)) && this.#known.size === this.#partners.length)
        return null;
      if (performance.now() > until) return null;
      sleep(pauseMilliseconds);
    }
  }

  #hasTold(rank: number): boolean {
    const { iprobe, abi } = this.#mpi;
    check(this.#mpi, iprobe(rank, tag, abi.world, this.#flag, abi.statusIgnore), 'a look who has left');
    return this.#flag[0] !== 0;
  }

  #receive(rank: number): Departure {
    const message = new Uint8Array(messageBytes);
    const request = this.#begin(message, rank, 'irecv');
    // It has come, or is coming.
    while (!this.#isDone(request)) sleep(pauseMilliseconds);
    return { rank, ...departureSchema.parse(parseJson(new TextDecoder().decode(message))) };
  }

  #begin(message: Uint8Array, rank: number, way: 'isend' | 'irecv'): BigUint64Array {
    const { abi, [way]: issue } = this.#mpi;
    const request = new BigUint64Array(1);
    check(this.#mpi, issue(message, messageBytes, abi.byte, rank, tag, abi.world, request), 'a leave');
    return request;
  }

  /** Asked again afterwards, MPI says so again. */
  #isDone(request: BigUint64Array): boolean {
    check(this.#mpi, this.#mpi.test(request, this.#flag, this.#mpi.abi.statusIgnore), 'a leave');
    return this.#flag[0] !== 0;
  }
}
