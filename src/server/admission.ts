/** No more at a time than memory allows: who comes beyond is told to come again, before anything is read. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { overloaded } from './problems.ts';

/** Bodies that are in memory, by what they say of their size. */
export class BodyMemory {
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Counts the body of a request until it is answered or gone. One that does not say its size may be as large as its route allows.
   * @throws RequestProblem OVERLOADED
   */
  admit({ headers, routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const said = headers['content-length'];
    const unsaid = headers['transfer-encoding'] === undefined ? 0 : (routeOptions.bodyLimit ?? 0);
    const bytes = said === undefined ? unsaid : Number(said);
    if (bytes === 0) return;
    if (this.#bytes > 0 && this.#bytes + bytes > this.#limit)
      throw overloaded('More is sent at a time than this server has memory for.');
    this.#bytes += bytes;
    reply.raw.once('close', () => {
      this.#bytes -= bytes;
    });
  }
}

/** Work of which only so much is done at a time, and none waits. */
export class Places {
  readonly #count: number;
  readonly #what: string;
  #taken = 0;

  /** @param what is said to whom there is no place for */
  constructor(count: number, what: string) {
    this.#count = count;
    this.#what = what;
  }

  /** @throws RequestProblem OVERLOADED */
  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken >= this.#count) throw overloaded(this.#what);
    this.#taken += 1;
    try {
      return await work();
    } finally {
      this.#taken -= 1;
    }
  }
}
