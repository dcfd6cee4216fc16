/** Files that are whole or absent: written beside their final name, flushed, then renamed. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  access,
  constants,
  type FileHandle,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
} from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { CourierError, hasSystemCode, messageOf } from '../errors.ts';
import { temporaryOf } from './leftovers.ts';

/**
 * Runs `write` on a temporary path beside `path` and renames the result into place.
 * Whatever goes wrong, `path` holds the old file or the new one, never a part.
 * @throws CourierError OUTPUT_NOT_WRITABLE when the folder is read-only or the disk is full
 */
export async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryOf(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    await write(temporary);
    const handle = await open(temporary, 'r+');
    await handle.sync().finally(() => handle.close());
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw asOutputError(error, path);
  }
}

export function writeFileWhole(path: string, content: string | Uint8Array): Promise<void> {
  return writeWhole(path, async (temporary) => {
    const handle = await open(temporary, 'w');
    await handle.writeFile(content).finally(() => handle.close());
  });
}

export function writeJson(path: string, value: unknown): Promise<void> {
  return writeFileWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Makes a folder and checks that files may be created in it, before hours of work depend on it. */
export async function prepareOutputFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw asOutputError(error, folder);
  }
}

/**
 * A file in one piece, which may have up to 2 GiB.
 * @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE, naming the file and what it is for
 */
export async function readInput(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw asInputError(error, path, what);
  }
}

/**
 * Opens a file for reading and closes it after `read`.
 * @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE, naming the file and what it is for
 */
export async function withInput<T>(
  path: string,
  what: string,
  read: (file: FileHandle) => Promise<T>,
): Promise<T> {
  try {
    const file = await open(path);
    try {
      return await read(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw asInputError(error, path, what);
  }
}

export async function requireReadable(path: string, what: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw asInputError(error, path, what);
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Fills `into` with the bytes from a position on. @returns false where the file ends before */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await file.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** SHA-256 of a file in hexadecimal, read as a stream. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * A path that came from outside, resolved below `root`.
 * @returns undefined when it is absolute or climbs out of the root
 */
export function pathBelow(root: string, path: string): string | undefined {
  if (isAbsolute(path) || path.includes('\0')) return undefined;
  const full = resolve(root, path);
  const way = relative(resolve(root), full);
  return way === '' || way.startsWith('..') || isAbsolute(way) ? undefined : full;
}

/** Whether a file lies in a folder itself, where links may seem to put what lies elsewhere. */
export async function liesBelow(
  root: string,
  path: string,
  pathOf: (path: string) => string | Promise<string> = realpath,
): Promise<boolean> {
  const [folder, target] = [await pathOf(root), await pathOf(path)];
  return pathBelow(folder, relative(folder, target)) !== undefined;
}

function asInputError(error: unknown, path: string, what: string): unknown {
  if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) {
    return new CourierError('FILE_NOT_FOUND', `${what} not found: ${path}`, 'Check the path.', {
      cause: error,
    });
  }
  if (hasSystemCode(error, 'EACCES', 'EPERM', 'EISDIR', 'EIO', 'ERR_FS_FILE_TOO_LARGE')) {
    const remedy = 'Check that it is the right file and that you may read it.';
    return new CourierError(
      'FILE_UNREADABLE',
      `${what} cannot be read: ${path} (${messageOf(error)})`,
      remedy,
      {
        cause: error,
      },
    );
  }
  return error;
}

/** A failed write in words: why the path could not be written and what to do. Other errors stay as they are. */
export function asOutputError(error: unknown, path: string): unknown {
  const reasons: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    ENOTDIR: 'a part of the path is a file',
    ENOENT: 'a folder of the path cannot be made',
    EEXIST: 'a file of that name is in the way',
  };
  for (const [code, reason] of Object.entries(reasons)) {
    if (!hasSystemCode(error, code)) continue;
    const remedy =
      'Choose another output folder, or make room and permission there; then run the same command again.';
    return new CourierError('OUTPUT_NOT_WRITABLE', `Cannot write ${path}: ${reason}.`, remedy, {
      cause: error,
    });
  }
  return error;
}
