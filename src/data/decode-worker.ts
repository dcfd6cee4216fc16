/** A thread that decodes photos, one after the other. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import { decodePhoto } from './decode-photo.ts';
import type { DecodeAnswer, DecodeRequest } from './decode-pool.ts';

parentPort?.on('message', async ({ id, bytes, side }: DecodeRequest) => {
  const answer = await decodePhoto(bytes, side).then(
    (photo): DecodeAnswer => ({ id, kind: 'photo', photo }),
    (error: unknown): DecodeAnswer => ({ id, kind: 'failed', message: messageOf(error) }),
  );
  const { buffer } = answer.kind === 'photo' ? answer.photo.pixels : { buffer: null };
  parentPort?.postMessage(answer, buffer instanceof ArrayBuffer ? [buffer] : []);
});
