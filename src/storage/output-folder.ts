/** Folders that are whole or absent: built beside their final name, then renamed. */
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asOutputError, exists, prepareOutputFolder } from './files.ts';
import { replacedOf, temporaryOf } from './leftovers.ts';

/**
 * Lets `build` fill a folder beside `path` and renames it into place; an older folder of that name is
 * replaced only then. Whatever goes wrong, `path` is as it was and nothing is left beside it.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeFolderWhole<T>(path: string, build: (folder: string) => Promise<T>): Promise<T> {
  const partial = temporaryOf(path);
  try {
    await rm(partial, { recursive: true, force: true });
    await prepareOutputFolder(partial);
    const built = await build(partial);
    for (const name of await readdir(partial)) await flush(join(partial, name));
    await replace(path, partial);
    return built;
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {});
    throw asOutputError(error, path);
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

async function replace(path: string, whole: string): Promise<void> {
  if (!(await exists(path))) return rename(whole, path);
  const replaced = replacedOf(path);
  await rename(path, replaced);
  try {
    await rename(whole, path);
  } catch (error) {
    await rename(replaced, path);
    throw error;
  }
  await rm(replaced, { recursive: true, force: true });
}
