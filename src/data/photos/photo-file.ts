/** One photo: a file from outside, read within limits and decoded into a square picture. */

import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { usableCores } from '../../cores.ts';
import { hasSystemCode, messageOf } from '../../errors.ts';
import type { Bounds } from '../../map-ahead.ts';
import { liesBelow } from '../../storage/files.ts';
import { decodePhoto, photoExtensions } from './decode-photo.ts';

/** Of a photo. */
export const maxFileBytes = 20 * 1024 * 1024;

/**
 * Files are held by two tasks per core, so that one decodes while the other reads; so many decoded photos wait at most.
 * Memory does not depend on the number of photos.
 */
export const decoding: Bounds = { active: 2 * usableCores(), ahead: 128 };

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
  | {
      readonly kind: 'file';
      readonly path: string;
      /** The folder that it has to lie in, links followed; anywhere without. */
      readonly below?: string;
    }
  | {
      readonly kind: 'bytes';
      /** What it is called in messages. */
      readonly name: string;
      /** @param limit of the bytes, over which it may throw before it has them all */
      read(limit: number): Promise<Uint8Array>;
    };

/** How files are looked at and read. */
export interface FileReader {
  stat(path: string): FileEntry | Promise<FileEntry>;
  read(path: string): Uint8Array | Promise<Uint8Array>;
  /** @returns the path without links */
  realpath(path: string): string | Promise<string>;
}

interface FileEntry {
  readonly size: number;
  isFile(): boolean;
}

const reader: FileReader = { stat, read: readFile, realpath };

/** What a photo is called in messages. */
export function photoName(input: PhotoInput): string {
  return input.kind === 'file' ? basename(input.path) : input.name;
}

/**
 * Reads a photo and decodes it to sRGB, upright, on white, fitted into a square of this side with white bars so
 * that proportions stay.
 * @param isKnown whether the pixels of the content with this SHA-256 are not needed
 * @param reader how files are read: a thread that has nothing else to do waits for them
 */
export async function loadPhoto(
  input: PhotoInput,
  side: number,
  isKnown: (hash: string) => boolean,
  { stat, read, realpath }: FileReader = reader,
): Promise<LoadedPhoto> {
  const name = photoName(input);
  const path = input.kind === 'file' ? input.path : input.name;
  try {
    if (input.kind === 'file') {
      if (input.below !== undefined && !(await liesBelow(input.below, path, realpath)))
        return { kind: 'failed', problem: 'Photos that are links out of the folder, left out' };
      const entry = await stat(path);
      if (!entry.isFile()) return { kind: 'failed', problem: 'Photos that are no files, left out' };
      if (entry.size > maxFileBytes) throw new PhotoTooLarge();
    }
    const bytes = input.kind === 'file' ? await read(path) : bufferOf(await input.read(maxFileBytes));
    if (bytes.length > maxFileBytes) throw new PhotoTooLarge();
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (isKnown(hash)) return { kind: 'known', hash };
    const { pixels, format, extensions } = await decodePhoto(bytes, side);
    const extension = extname(name).toLowerCase();
    const asNamed = !photoExtensions.includes(extension) || extensions.includes(extension);
    return { kind: 'pixels', hash, pixels, ...(asNamed ? {} : { format }) };
  } catch (error) {
    return failedPhoto(path, error);
  }
}

/** What an error is to a photo. @param path or what it is called: messages have no more than its name */
export function failedPhoto(path: string, error: unknown): FailedPhoto {
  if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'failed', problem: 'Photos missing' };
  if (error instanceof PhotoTooLarge)
    return { kind: 'failed', problem: `Photos over ${maxFileBytes} bytes, left out` };
  const reason = messageOf(error).replaceAll(path, basename(path));
  return { kind: 'failed', problem: 'Photos unreadable, truncated or too large, left out', reason };
}

/** The same memory. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A photo of more bytes than are read. */
export class PhotoTooLarge extends Error {}
