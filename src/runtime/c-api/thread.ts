/** A thread in which ONNX Runtime computes, so that the event loop stays alive meanwhile. */

import { Worker } from 'node:worker_threads';
import { programFile } from '../../program-file.ts';
import { endThread } from '../../thread-end.ts';
import type { Api, Memory, Status } from './library.ts';

/** What takes long. Everything else is called where it is needed. */
type LongCall = 'createSessionFromArray' | 'run' | 'releaseSession';

/** Addresses are those of the whole process, so nothing but numbers goes from thread to thread. */
export type CallRequest = {
  readonly [Name in LongCall]: { readonly name: Name; readonly words: Parameters<Api[Name]> };
}[LongCall];

export type CallReply = { readonly status: Status } | { readonly failure: string };

interface Pending {
  /** Held until the call has ended, lest their memory is collected under it. */
  readonly held: readonly (Memory | number)[];
  readonly resolve: (status: Status) => void;
  readonly reject: (error: Error) => void;
}

export class ComputeThread {
  readonly #worker: Worker;
  readonly #addressOf: Api['addressOf'];
  /** In the order of the calls, which is that of the replies. */
  readonly #pending: Pending[] = [];
  #failure: Error | null = null;

  constructor({ addressOf }: Api) {
    this.#worker = new Worker(programFile(import.meta.url, 'worker'));
    this.#addressOf = addressOf;
    this.#worker.on('message', (reply: CallReply) => this.#settle(reply));
    this.#worker.on('error', (error) =>
      this.#failAll(error instanceof Error ? error : new Error(String(error))),
    );
    this.#worker.on('exit', () => this.#failAll(new Error('the compute thread ended')));
  }

  /** Calls a function of the C interface. Arrays are read and written in place, and held until then. */
  call<Name extends LongCall>(name: Name, ...held: Parameters<Api[Name]>): Promise<Status> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const words = held.map((word) => (typeof word === 'object' ? this.#addressOf(word) : word));
    return new Promise((resolve, reject) => {
      this.#pending.push({ held, resolve, reject });
      this.#worker.postMessage({ name, words });
    });
  }

  /** Ends the thread, once what it computes has ended. */
  async close(): Promise<void> {
    await endThread(this.#worker);
  }

  #settle(reply: CallReply): void {
    const pending = this.#pending.shift();
    if ('failure' in reply) pending?.reject(new Error(reply.failure));
    else pending?.resolve(reply.status);
  }

  #failAll(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}
