/** Tells what a call wrote of what was there. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** When each file below a folder was written last, by its path. */
export async function timesBelow(folder: string): Promise<Record<string, number>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  const times = await Promise.all(files.map(async (path) => (await stat(path)).mtimeMs));
  return Object.fromEntries(files.map((path, place) => [path.slice(folder.length + 1), times[place]!]));
}
