/** One photo: a file from outside, read within limits and decoded into a square picture. */

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { decode } from 'bmp-ts';
import sharp, { type Sharp } from 'sharp';
import { usableCores } from '../cores.ts';
import { hasSystemCode, messageOf } from '../errors.ts';
import type { Bounds } from '../map-ahead.ts';
import { fitIntoSquare } from './fit.ts';

const maxFileBytes = 20 * 1024 * 1024;
const maxPixels = 64 * 1024 * 1024;
/** A picture of at most so many times the side wanted, in the mean of width and height, is a thumbnail. */
const smallFactor = 4;
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
  { name: 'bmp', extensions: ['.bmp'], signature: /^BM/ },
  { name: 'heif', extensions: ['.avif', '.heif', '.heic'], signature: /^.{4}ftyp/s },
];

/**
 * Files are held by two tasks per core, so that one decodes while the other reads; so many decoded photos wait at most.
 * Memory does not depend on the number of photos.
 */
export const decoding: Bounds = { active: 2 * usableCores(), ahead: 128 };

/** Extensions of the formats that are read, in lower case with their dot. */
export const photoExtensions: readonly string[] = formats.flatMap(({ extensions }) => extensions);

// No two photos share an operation, so that remembering the last ones only costs time.
sharp.cache(false);
// As many photos are decoded at a time as there are cores: threads within one only get in each other's way.
sharp.concurrency(1);

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

/** A photo from outside: a file, or bytes that are read when they are needed. */
export type PhotoInput =
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'bytes';
      /** What it is called in messages. */
      readonly name: string;
      /** @param limit of the bytes, over which it may throw before it has them all */
      read(limit: number): Promise<Uint8Array>;
    };

/** What a photo is called in messages. */
export function photoName(input: PhotoInput): string {
  return input.kind === 'file' ? basename(input.path) : input.name;
}

/**
 * Reads a photo and decodes it to sRGB, upright, on white, fitted into a square of this side with white bars so
 * that proportions stay.
 * @param isKnown whether the pixels of the content with this SHA-256 are not needed
 */
export async function loadPhoto(
  input: PhotoInput,
  side: number,
  isKnown: (hash: string) => boolean,
): Promise<LoadedPhoto> {
  const name = photoName(input);
  const path = input.kind === 'file' ? input.path : input.name;
  try {
    const bytes =
      input.kind === 'file' ? await readPhotoFile(input.path) : bufferOf(await input.read(maxFileBytes));
    if (bytes === null) return { kind: 'failed', problem: 'Photos that are no files, left out' };
    if (bytes.length > maxFileBytes) throw new PhotoTooLarge();
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (isKnown(hash)) return { kind: 'known', hash };
    const { pixels, format } = await decodeBytes(bytes, side);
    const extension = extname(name).toLowerCase();
    const asNamed = !photoExtensions.includes(extension) || format.extensions.includes(extension);
    return { kind: 'pixels', hash, pixels, ...(asNamed ? {} : { format: format.name }) };
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'failed', problem: 'Photos missing' };
    if (error instanceof PhotoTooLarge)
      return { kind: 'failed', problem: `Photos over ${maxFileBytes} bytes, left out` };
    const reason = messageOf(error).replaceAll(path, basename(path));
    return { kind: 'failed', problem: 'Photos unreadable, truncated or too large, left out', reason };
  }
}

/** The same memory. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A photo of more bytes than are read. */
export class PhotoTooLarge extends Error {}

/** null for what is no file. @throws PhotoTooLarge */
async function readPhotoFile(path: string): Promise<Buffer | null> {
  const entry = await stat(path);
  if (!entry.isFile()) return null;
  if (entry.size > maxFileBytes) throw new PhotoTooLarge();
  return readFile(path);
}

async function decodeBytes(bytes: Buffer, side: number): Promise<{ pixels: Uint8Array; format: Format }> {
  const beginning = bytes.toString('latin1', 0, 16);
  const format = formats.find(({ signature }) => signature.test(beginning));
  if (format === undefined) throw new Error('not a photo in a format that is known');
  const { data, info } =
    format.name === 'bmp'
      ? await decodeBitmap(bytes, side)
      : await decodeSmall(bytes, side).catch(() => decodeShrunk(bytes, side));
  if (info.channels !== 3 || data.length !== info.width * info.height * 3) {
    throw new Error(`decoded to ${info.width} x ${info.height} x ${info.channels}`);
  }
  return { pixels: fitIntoSquare(data, info.width, info.height, side), format };
}

/**
 * Decodes a thumbnail as it is. Any resizing by libvips takes longer than to decode it, so that is done here.
 * Rejects for a picture that is larger.
 */
function decodeSmall(bytes: Buffer, side: number) {
  const decoder = sharp(bytes, { failOn: 'error', limitInputPixels: (smallFactor * side) ** 2 });
  return upright(decoder.autoOrient());
}

/** Decodes a picture of any size to the size that is needed, without ever holding all of it. */
function decodeShrunk(bytes: Buffer, side: number) {
  const decoder = sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels });
  const size = { width: side, height: side, fit: 'inside', withoutEnlargement: true } as const;
  return upright(decoder.autoOrient().resize(size));
}

/** What libvips does not read. Its fourth channel is opaque or nothing, so that it is left out. */
function decodeBitmap(bytes: Buffer, side: number) {
  const [declaredWidth, declaredHeight] = [bytes.readInt32LE(18), Math.abs(bytes.readInt32LE(22))];
  if (declaredWidth * declaredHeight > maxPixels) throw new Error('Input image exceeds pixel limit');
  const { data, width, height } = decode(bytes, { toRGBA: true });
  // Before the picture is put on white, which comes first whatever the order of calls.
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  const picture = sharp(data, { raw: { width, height, channels: 4 } });
  return upright(picture.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true }));
}

/** sRGB, 8 bits, on white. */
function upright(decoder: Sharp) {
  return decoder
    .flatten({ background: white })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
}
