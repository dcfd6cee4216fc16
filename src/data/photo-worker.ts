/** A thread that reads photos, some at a time. */
import { readFileSync, statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { type LoadedPhoto, loadPhoto } from './photo-file.ts';
import { inputOf, type PhotoAnswer, type PhotoRequest } from './photo-pool.ts';

/** Nobody waits for this thread but those who want its photos. */
const reader = { stat: (path: string) => statSync(path), read: (path: string) => readFileSync(path) };

parentPort?.on('message', async ({ id, photos, side }: PhotoRequest) => {
  const load = (photo: PhotoRequest['photos'][number]) =>
    loadPhoto(inputOf(photo), side, () => false, reader);
  const answer = await Promise.all(photos.map(load)).then(
    (loaded): PhotoAnswer => ({ id, kind: 'photos', photos: loaded }),
    (error: unknown): PhotoAnswer => ({ id, kind: 'failed', message: messageOf(error) }),
  );
  parentPort?.postMessage(answer, answer.kind === 'photos' ? answer.photos.flatMap(memoryOf) : []);
});

/** What can be handed over instead of copied. */
function memoryOf(photo: LoadedPhoto): ArrayBuffer[] {
  if (photo.kind !== 'pixels') return [];
  const { buffer } = photo.pixels;
  return buffer instanceof ArrayBuffer ? [buffer] : [];
}
