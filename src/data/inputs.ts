/** Which files a dataset was made from, so that a second run over the same files can be skipped. */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { usableCores } from '../cores.ts';
import { mapAhead } from '../map-ahead.ts';
import { hashFile, requireReadable } from '../storage/files.ts';
import { photoExtensions } from './photos/decode-photo.ts';
import { filesBelow } from './sources/photo-collection.ts';

/** Of a photo, what tells it from another of the same size: its header and the begin of its pixels. */
const photoBytes = 16 * 1024;

/** Bytes of a file from which on its time of change stands for its content. */
const largeFile = 2 ** 30;

const reading = { active: 4 * usableCores(), ahead: 256 };

/**
 * SHA-256 over path, size and content of all files, those in folders included. Files that systems leave in folders are none,
 * and that a file was touched, or copied to where it was, makes no other one of it.
 * @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE
 */
export async function fingerprintInputs(paths: readonly string[]): Promise<string> {
  const files: string[] = [];
  for (const path of paths) {
    await requireReadable(path, 'Input');
    const isFolder = (await stat(path)).isDirectory();
    const found = isFolder ? (await filesBelow(path, 'Input folder')).filter(isOfPeople) : [path];
    for (const file of found) files.push(file);
  }
  const hash = createHash('sha256');
  for await (const described of mapAhead(files.length, (file) => describe(files[file]!), reading))
    hash.update(`${JSON.stringify(described)}\n`);
  return hash.digest('hex');
}

function isOfPeople(file: string): boolean {
  return !/^(\..*|thumbs\.db|desktop\.ini)$/i.test(basename(file));
}

/** A link that leads nowhere is described by its path alone. */
async function describe(file: string): Promise<unknown[]> {
  const entry = await stat(file).catch(() => null);
  if (entry === null || !entry.isFile()) return [resolve(file)];
  const { size, mtimeMs } = entry;
  const isPhoto = photoExtensions.includes(extname(file).toLowerCase());
  const read = () => (isPhoto ? hashOfBegin(file) : size < largeFile ? hashFile(file) : mtimeMs);
  // What cannot be read is a finding of whoever needs it.
  const content = await Promise.resolve(read()).catch(() => null);
  return [resolve(file), size, content];
}

async function hashOfBegin(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(photoBytes), 0, photoBytes, 0);
    return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex');
  } finally {
    await file.close();
  }
}
