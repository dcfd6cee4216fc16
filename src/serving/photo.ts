/** A photo from outside as the pixels that a dataset would have of it. */
import { createHash } from 'node:crypto';
import { loadPhoto } from '../data/photos/photo-file.ts';
import { plainJpegDecoder, plainJpegSize } from '../data/photos/plain-jpeg.ts';
import { type PhotoForm, storedPhoto } from '../data/photos/stored-photo.ts';
import { CourierError } from '../errors.ts';

export interface SeenPhoto {
  /** SHA-256 of the file. */
  readonly file: string;
  /** SHA-256 of the pixels: two photos of one are one. */
  readonly picture: string;
  /** (S, S, 3) */
  readonly pixels: Uint8Array;
}

/** SHA-256 by which pictures are the same. */
export function pictureHash(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex');
}

/**
 * Decodes a photo within the limits of ingestion, and brings it into the form in which photos were embedded.
 * @throws CourierError VALUE_INVALID for one that cannot be used
 */
export async function seePhoto(bytes: Uint8Array, side: number, kept: PhotoForm): Promise<SeenPhoto> {
  const input = { kind: 'bytes', name: 'photo', read: async () => bytes } as const;
  const loaded = await loadPhoto(input, side, () => false);
  if (loaded.kind === 'failed') throw unusable(loaded.reason ?? loaded.problem);
  const stored = await storedPhoto(loaded, side, kept);
  if (stored.kind !== 'stored') throw unusable('it cannot be kept');
  const pixels = kept === 'pixels' ? stored.bytes : await decoded(stored.bytes);
  return { file: stored.hash, picture: pictureHash(pixels), pixels };
}

async function decoded(jpeg: Uint8Array): Promise<Uint8Array> {
  const size = plainJpegSize(Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength));
  if (size === null) throw unusable('it cannot be kept as JPEG');
  const decode = await plainJpegDecoder();
  // Its memory is written over by the next.
  return decode(jpeg, size).slice();
}

function unusable(why: string): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `The photo cannot be used: ${why}.`,
    'Send a JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF of at most 20 MiB.',
  );
}
