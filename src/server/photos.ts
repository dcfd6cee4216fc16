/** A photo from outside: sent, or behind an address. */
import { maxFileBytes, PhotoTooLarge } from '../data/photos/photo-file.ts';
import { type DownloadOptions, fetchPhoto, Refused } from '../data/sources/photo-downloads.ts';
import { RequestProblem } from './problems.ts';

/** @throws RequestProblem VALUE_INVALID for what is not base64 */
export function decodePhotoText(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  const padding = /=*$/.exec(text.slice(-2))?.[0].length ?? 0;
  if (bytes.length !== Math.floor((3 * (text.length - padding)) / 4))
    throw new RequestProblem(
      'VALUE_INVALID',
      'The photo is not in base64.',
      'Encode the bytes of its file, without line breaks.',
    );
  return bytes;
}

/**
 * Fetches a photo by the rules of ingestion: https, the public internet alone, 20 MiB, 20 seconds, three redirections.
 * @throws RequestProblem PHOTO_UNREACHABLE, LIMIT_EXCEEDED
 */
export async function fetchPhotoFrom(address: string, options: DownloadOptions): Promise<Uint8Array> {
  try {
    return await fetchPhoto(address, maxFileBytes, options);
  } catch (error) {
    if (error instanceof PhotoTooLarge)
      throw new RequestProblem(
        'LIMIT_EXCEEDED',
        'The photo behind the address has more than 20 MiB.',
        'Send a smaller one.',
      );
    throw new RequestProblem(
      'PHOTO_UNREACHABLE',
      `The photo cannot be fetched: ${error instanceof Refused ? error.message : 'its server gives no answer'}.`,
      'Send an address that begins with https:// and that everybody can open, or the photo itself.',
      { cause: error },
    );
  }
}
