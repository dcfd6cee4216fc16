/** A thread that reads photos, some at a time. */
import { readFileSync, statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { loadPhoto } from './photo-file.ts';
import { inputOf, type PhotoAnswer, type PhotoRequest } from './photo-pool.ts';
import { type StoredPhoto, storedPhoto } from './stored-photo.ts';

/** Nobody waits for this thread but those who want its photos. */
const reader = { stat: (path: string) => statSync(path), read: (path: string) => readFileSync(path) };

parentPort?.on('message', async ({ id, photos, side, form }: PhotoRequest) => {
  const load = async (photo: PhotoRequest['photos'][number]) =>
    storedPhoto(await loadPhoto(inputOf(photo), side, () => false, reader), side, form);
  const answer = await Promise.all(photos.map(load)).then(
    (loaded): PhotoAnswer => ({ id, kind: 'photos', photos: loaded }),
    (error: unknown): PhotoAnswer => ({ id, kind: 'failed', message: messageOf(error) }),
  );
  parentPort?.postMessage(answer, answer.kind === 'photos' ? answer.photos.flatMap(memoryOf) : []);
});

/** What can be handed over instead of copied. */
function memoryOf(photo: StoredPhoto): ArrayBuffer[] {
  if (photo.kind !== 'stored') return [];
  const { buffer, byteLength } = photo.bytes;
  // What a library gives may lie in memory that others share.
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
