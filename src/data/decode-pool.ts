/** Threads that decode photos, as many as there are cores: the main thread reads and writes, and touches no pixel. */
import { Worker } from 'node:worker_threads';
import { usableCores } from '../cores.ts';
import type { DecodedPhoto } from './decode-photo.ts';

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly side: number;
}

export type DecodeAnswer =
  | { readonly id: number; readonly kind: 'photo'; readonly photo: DecodedPhoto }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

interface Waiting {
  resolve(photo: DecodedPhoto): void;
  reject(error: Error): void;
}

/** A thread, and who waits for what of it. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

export class DecodePool {
  readonly #threads: readonly Thread[];
  #next = 0;

  private constructor(threads: readonly Thread[]) {
    this.#threads = threads;
  }

  static start(count = usableCores()): DecodePool {
    const file = import.meta.url.endsWith('.ts') ? './decode-worker-from-source.js' : './decode-worker.js';
    return new DecodePool(
      Array.from({ length: count }, () => {
        const worker = new Worker(new URL(file, import.meta.url));
        const thread: Thread = { worker, waiting: new Map() };
        worker.on('message', (answer: DecodeAnswer) => answerTo(thread, answer));
        worker.on('error', (error) => failAll(thread, error));
        worker.on('exit', () => failAll(thread, new Error('the decoding thread has ended')));
        return thread;
      }),
    );
  }

  /** As `decodePhoto`, in the thread that has the least to do. */
  readonly decode = (bytes: Uint8Array, side: number): Promise<DecodedPhoto> => {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new Error('there is no decoding thread');
    const thread = others.reduce(
      (least, each) => (each.waiting.size < least.waiting.size ? each : least),
      first,
    );
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, { resolve, reject });
      thread.worker.postMessage({ id, bytes, side } satisfies DecodeRequest);
    });
  };

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

function answerTo({ waiting }: Thread, answer: DecodeAnswer): void {
  const who = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (answer.kind === 'photo') who?.resolve(answer.photo);
  else who?.reject(new Error(answer.message));
}

function failAll({ waiting }: Thread, error: Error): void {
  for (const who of waiting.values()) who.reject(error);
  waiting.clear();
}
