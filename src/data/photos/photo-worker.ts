/** A thread that reads photos, some at a time. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { answerMessages } from '../../thread-end.ts';
import { type LoadedPhoto, loadPhoto } from './photo-file.ts';
import { inputOf, type PhotoAnswer, type PhotoRequest, type SentPhoto } from './photo-pool.ts';
import { type StoredPhoto, storedPhoto } from './stored-photo.ts';

/** Nobody waits for this thread but those who want its photos. */
const reader = {
  stat: (path: string) => statSync(path),
  read: (path: string) => readFileSync(path),
  realpath: (path: string) => realpathSync.native(path),
};

async function answerOf({ id, photos, task }: PhotoRequest): Promise<PhotoAnswer> {
  const each = <T>(work: (photo: SentPhoto) => Promise<T>) => Promise.all(photos.map(work));
  const load = (photo: SentPhoto, side: number, isKnown: boolean) =>
    loadPhoto(inputOf(photo), side, () => isKnown, reader);
  switch (task.kind) {
    case 'hash':
      return { id, kind: 'loaded', photos: await each((photo) => load(photo, 0, true)) };
    case 'decode':
      return { id, kind: 'loaded', photos: await each((photo) => load(photo, task.side, false)) };
    case 'store': {
      const { side, form } = task;
      const stored = await each(async (photo) => storedPhoto(await load(photo, side, false), side, form));
      return { id, kind: 'stored', photos: stored };
    }
  }
}

answerMessages(async (request: PhotoRequest) => {
  const answer = await answerOf(request).catch(
    (error: unknown): PhotoAnswer => ({ id: request.id, kind: 'failed', message: messageOf(error) }),
  );
  parentPort?.postMessage(answer, answer.kind === 'failed' ? [] : answer.photos.flatMap(memoryOf));
});

/** What can be handed over instead of copied. */
function memoryOf(photo: LoadedPhoto | StoredPhoto): ArrayBuffer[] {
  if (photo.kind !== 'stored' && photo.kind !== 'pixels') return [];
  const { buffer, byteLength } = photo.kind === 'stored' ? photo.bytes : photo.pixels;
  // What a library gives may lie in memory that others share.
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
