/** One photo: a file from outside, read within limits and decoded into a square picture. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import sharp from 'sharp';
import { hasSystemCode, messageOf } from '../errors.ts';

const maxFileBytes = 20 * 1024 * 1024;
const maxPixels = 64 * 1024 * 1024;
const white = { r: 255, g: 255, b: 255 };

interface Format {
  readonly name: string;
  readonly extensions: readonly string[];
  /** What its files begin with, as Latin-1. */
  readonly signature: RegExp;
}

/** Raster formats that are read. A drawing or a document is never handed to the decoder. */
const formats: readonly Format[] = [
  { name: 'jpeg', extensions: ['.jpg', '.jpeg', '.jpe', '.jfif'], signature: /^\xff\xd8\xff/ },
  { name: 'png', extensions: ['.png'], signature: /^\x89PNG/ },
  { name: 'webp', extensions: ['.webp'], signature: /^RIFF.{4}WEBP/s },
  { name: 'gif', extensions: ['.gif'], signature: /^GIF8/ },
  { name: 'tiff', extensions: ['.tif', '.tiff'], signature: /^(II\*\0|MM\0\*)/ },
  { name: 'heif', extensions: ['.avif', '.heif', '.heic'], signature: /^.{4}ftyp/s },
];

/** Extensions of the formats that are read, in lower case with their dot. */
export const photoExtensions: readonly string[] = formats.flatMap(({ extensions }) => extensions);

// No two photos share an operation, so that remembering the last ones only costs time.
sharp.cache(false);

/** Why there is no photo: the finding, and what the decoder said. */
export interface FailedPhoto {
  readonly kind: 'failed';
  readonly problem: string;
  readonly reason?: string;
}

/** A decoded photo (S, S, 3), one whose pixels nobody needs, or why there is none. */
export type LoadedPhoto =
  /** `format` is set where it is another than the file's name says. */
  | { readonly kind: 'pixels'; readonly hash: string; readonly pixels: Uint8Array; readonly format?: string }
  | { readonly kind: 'known'; readonly hash: string }
  | FailedPhoto;

/**
 * Reads a file and decodes it to sRGB, upright, on white, fitted into a square of this side with white bars so
 * that proportions stay.
 * @param isKnown whether the pixels of the content with this SHA-256 are not needed
 */
export async function loadPhoto(
  path: string,
  side: number,
  isKnown: (hash: string) => boolean,
): Promise<LoadedPhoto> {
  try {
    const entry = await stat(path);
    if (!entry.isFile()) return { kind: 'failed', problem: 'Photos that are no files, left out' };
    if (entry.size > maxFileBytes) {
      return { kind: 'failed', problem: `Photos over ${maxFileBytes} bytes, left out` };
    }
    const bytes = await readFile(path);
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (isKnown(hash)) return { kind: 'known', hash };
    const { pixels, format } = await decodeBytes(bytes, side);
    const asNamed = format.extensions.includes(extname(path).toLowerCase());
    return { kind: 'pixels', hash, pixels, ...(asNamed ? {} : { format: format.name }) };
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'failed', problem: 'Photos missing' };
    const reason = messageOf(error).replaceAll(path, basename(path));
    return { kind: 'failed', problem: 'Photos unreadable, truncated or too large, left out', reason };
  }
}

async function decodeBytes(bytes: Buffer, side: number): Promise<{ pixels: Buffer; format: Format }> {
  const beginning = bytes.toString('latin1', 0, 16);
  const format = formats.find(({ signature }) => signature.test(beginning));
  if (format === undefined) throw new Error('not a photo in a format that is known');
  const { data, info } = await sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels })
    .autoOrient()
    .flatten({ background: white })
    .resize(side, side, { fit: 'contain', background: white })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3 || data.length !== side * side * 3) {
    throw new Error(`decoded to ${info.width} x ${info.height} x ${info.channels}`);
  }
  return { pixels: data, format };
}
