/** A loaded photo in the form in which a dataset keeps it. */
import { createHash } from 'node:crypto';
import type { FailedPhoto, LoadedPhoto } from './photo-file.ts';
import { loadSharp } from './sharp.ts';

/** As pixels, or as JPEG at the side that is trained on: a tenth of the bytes, for some time at every reading. */
export type PhotoForm = 'pixels' | 'jpeg';

/** Sides in pixels up to which photos are kept as pixels where it is not said how. */
const smallSide = 128;

/** How photos of a side are kept where it is not said. */
export function formOf(side: number): PhotoForm {
  return side <= smallSide ? 'pixels' : 'jpeg';
}

/** Quality of JPEG files, 1 to 100: what is lost is less than what augmentation changes. */
const quality = 92;

/** What is kept of a photo, one whose bytes nobody needs, or why there is none. */
export type StoredPhoto =
  | {
      readonly kind: 'stored';
      /** SHA-256 of the file. */
      readonly hash: string;
      readonly bytes: Uint8Array;
      /** SHA-256 of the bytes. */
      readonly picture: string;
      /** Set where it is another than the file's name says. */
      readonly format?: string;
    }
  | { readonly kind: 'known'; readonly hash: string }
  | FailedPhoto;

export async function storedPhoto(loaded: LoadedPhoto, side: number, form: PhotoForm): Promise<StoredPhoto> {
  if (loaded.kind !== 'pixels') return loaded;
  const { pixels, kind: _, ...rest } = loaded;
  const bytes = form === 'pixels' ? pixels : await jpegOf(pixels, side);
  return { ...rest, kind: 'stored', bytes, picture: pictureOf(bytes) };
}

/** By what two photos of one picture are known. */
export function pictureOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

async function jpegOf(pixels: Uint8Array, side: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: '4:4:4' })
    .toBuffer();
}
