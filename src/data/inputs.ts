/** Which files a dataset was made from, so that a second run over the same files can be skipped. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { requireReadable } from '../storage/files.ts';
import { filesBelow } from './sources/photo-collection.ts';

/**
 * SHA-256 over path, size and time of change of all files, those in folders included.
 * @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE
 */
export async function fingerprintInputs(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    await requireReadable(path, 'Input');
    const files = (await stat(path)).isDirectory() ? await filesBelow(path, 'Input folder') : [path];
    for (const file of files) hash.update(`${JSON.stringify(await describe(file))}\n`);
  }
  return hash.digest('hex');
}

/** A link that leads nowhere is described by its path alone. */
async function describe(file: string): Promise<unknown[]> {
  const entry = await stat(file).catch(() => null);
  return [resolve(file), entry?.size ?? null, entry?.mtimeMs ?? null];
}
