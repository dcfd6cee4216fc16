/** Threads that read and decode photos, as many as there are cores: the main thread touches no file and no pixel. */
import { Worker } from 'node:worker_threads';
import { usableCores } from '../cores.ts';
import type { PhotoInput } from './photo-file.ts';
import type { PhotoForm, StoredPhoto } from './stored-photo.ts';

/** A photo as a thread can be told of it: a file, or bytes with what they are called. */
export type SentPhoto =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'bytes'; readonly name: string; readonly bytes: Uint8Array };

export interface PhotoRequest {
  readonly id: number;
  readonly photos: readonly SentPhoto[];
  readonly side: number;
  readonly form: PhotoForm;
}

export type PhotoAnswer =
  | { readonly id: number; readonly kind: 'photos'; readonly photos: readonly StoredPhoto[] }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

export function inputOf(photo: SentPhoto): PhotoInput {
  return photo.kind === 'file'
    ? photo
    : { kind: 'bytes', name: photo.name, read: () => Promise.resolve(photo.bytes) };
}

interface Waiting {
  resolve(photos: readonly StoredPhoto[]): void;
  reject(error: Error): void;
}

/** A thread, and who waits for what of it. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

export class PhotoPool {
  readonly #threads: readonly Thread[];
  #next = 0;

  private constructor(threads: readonly Thread[]) {
    this.#threads = threads;
  }

  static start(count = usableCores()): PhotoPool {
    const file = import.meta.url.endsWith('.ts') ? './photo-worker-from-source.js' : './photo-worker.js';
    return new PhotoPool(
      Array.from({ length: count }, () => {
        const worker = new Worker(new URL(file, import.meta.url));
        const thread: Thread = { worker, waiting: new Map() };
        worker.on('message', (answer: PhotoAnswer) => answerTo(thread, answer));
        worker.on('error', (error) => failAll(thread, error));
        worker.on('exit', () => failAll(thread, new Error('the thread that reads photos has ended')));
        return thread;
      }),
    );
  }

  /** As `loadPhoto` and `storedPhoto` for each, in the thread that has the least to do. */
  load(photos: readonly SentPhoto[], side: number, form: PhotoForm): Promise<readonly StoredPhoto[]> {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new Error('there is no thread that reads photos');
    const thread = others.reduce(
      (least, each) => (each.waiting.size < least.waiting.size ? each : least),
      first,
    );
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, { resolve, reject });
      thread.worker.postMessage({ id, photos, side, form } satisfies PhotoRequest);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

function answerTo({ waiting }: Thread, answer: PhotoAnswer): void {
  const who = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (answer.kind === 'photos') who?.resolve(answer.photos);
  else who?.reject(new Error(answer.message));
}

function failAll({ waiting }: Thread, error: Error): void {
  for (const who of waiting.values()) who.reject(error);
  waiting.clear();
}
