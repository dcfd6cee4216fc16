/** Threads that read and decode photos, as many as there are cores: the main thread touches no file and no pixel. */

import { Worker } from 'node:worker_threads';
import { usableCores } from '../../cores.ts';
import { programFile } from '../../program-file.ts';
import { endThread } from '../../thread-end.ts';
import type { LoadedPhoto, PhotoInput } from './photo-file.ts';
import type { PhotoForm, StoredPhoto } from './stored-photo.ts';

/** A photo as a thread can be told of it: a file, or bytes with what they are called. */
export type SentPhoto =
  | { readonly kind: 'file'; readonly path: string; readonly below?: string }
  | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array };

/** What becomes of photos in a thread: their hashes, their pixels too, or what a dataset keeps of them. */
export type PhotoTask =
  | { readonly kind: 'hash' }
  | { readonly kind: 'decode'; readonly side: number }
  | { readonly kind: 'store'; readonly side: number; readonly form: PhotoForm };

export interface PhotoRequest {
  readonly id: number;
  readonly photos: readonly SentPhoto[];
  readonly task: PhotoTask;
}

export type PhotoAnswer =
  | { readonly id: number; readonly kind: 'loaded'; readonly photos: readonly LoadedPhoto[] }
  | { readonly id: number; readonly kind: 'stored'; readonly photos: readonly StoredPhoto[] }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

export function inputOf(photo: SentPhoto): PhotoInput {
  return photo.kind === 'file'
    ? photo
    : { kind: 'bytes', name: photo.name, read: () => Promise.resolve(photo.bytes) };
}

interface Waiting {
  resolve(answer: PhotoAnswer): void;
  reject(error: Error): void;
}

/** A thread, and who waits for what of it. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/** Photos from which on threads are worth their start. */
export const pooledFrom = 128;

/** Photos for a thread at a time: what is said between threads costs as much as a small photo. */
export const together = 16;

export class PhotoPool {
  readonly #threads: readonly Thread[];
  #next = 0;

  private constructor(threads: readonly Thread[]) {
    this.#threads = threads;
  }

  static start(count = usableCores()): PhotoPool {
    return new PhotoPool(
      Array.from({ length: count }, () => {
        const worker = new Worker(programFile(import.meta.url, 'photo-worker'));
        const thread: Thread = { worker, waiting: new Map() };
        worker.on('message', (answer: PhotoAnswer) => answerTo(thread, answer));
        worker.on('error', (error) => failAll(thread, error));
        worker.on('exit', () => failAll(thread, new Error('the thread that reads photos has ended')));
        return thread;
      }),
    );
  }

  /** As `loadPhoto` where all photos are known. */
  hash(photos: readonly SentPhoto[]): Promise<readonly LoadedPhoto[]> {
    return this.#load(photos, { kind: 'hash' });
  }

  /** As `loadPhoto` where none is known. */
  decode(photos: readonly SentPhoto[], side: number): Promise<readonly LoadedPhoto[]> {
    return this.#load(photos, { kind: 'decode', side });
  }

  /** As `storedPhoto` of those. */
  async store(photos: readonly SentPhoto[], side: number, form: PhotoForm): Promise<readonly StoredPhoto[]> {
    const answer = await this.#ask(photos, { kind: 'store', side, form });
    if (answer.kind === 'stored') return answer.photos;
    throw unexpected(answer);
  }

  async #load(photos: readonly SentPhoto[], task: PhotoTask): Promise<readonly LoadedPhoto[]> {
    const answer = await this.#ask(photos, task);
    if (answer.kind === 'loaded') return answer.photos;
    throw unexpected(answer);
  }

  /** Asks the thread that has the least to do. */
  #ask(photos: readonly SentPhoto[], task: PhotoTask): Promise<PhotoAnswer> {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new Error('there is no thread that reads photos');
    const thread = others.reduce(
      (least, each) => (each.waiting.size < least.waiting.size ? each : least),
      first,
    );
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, { resolve, reject });
      thread.worker.postMessage({ id, photos, task } satisfies PhotoRequest);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => endThread(worker)));
  }
}

function answerTo({ waiting }: Thread, answer: PhotoAnswer): void {
  waiting.get(answer.id)?.resolve(answer);
  waiting.delete(answer.id);
}

function unexpected(answer: PhotoAnswer): Error {
  return new Error(
    answer.kind === 'failed' ? answer.message : `a thread answered with photos ${answer.kind}`,
  );
}

function failAll({ waiting }: Thread, error: Error): void {
  for (const who of waiting.values()) who.reject(error);
  waiting.clear();
}
