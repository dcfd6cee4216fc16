/**
 * What is written beside its final name, and what killed processes left of it. Whoever clears has the lock of the output:
 * what is found belongs to nobody, also where the number of its process has come again.
 */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasSystemCode } from '../errors.ts';

/** Where this process writes what will be at `path`. */
export function temporaryOf(path: string): string {
  return `${path}.${process.pid}.partial`;
}

/** Where this process puts what was at `path` until the new is there. */
export function replacedOf(path: string): string {
  return `${path}.${process.pid}.replaced`;
}

const leftover = /^(.+)\.\d+\.(partial|replaced)$/;

/**
 * Clears leftovers in a folder. What was to be replaced when its process was killed comes back.
 * @param isOurs whether to clear those of an output of that name
 */
export async function clearLeftovers(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  const names = await namesIn(folder);
  for (const name of names) {
    const [, of = '', kind] = leftover.exec(name) ?? [];
    if (of === '' || !isOurs(of)) continue;
    if (kind === 'replaced' && !names.includes(of)) await rename(join(folder, name), join(folder, of));
    else await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown): string[] => {
    if (hasSystemCode(error, 'ENOENT')) return [];
    throw error;
  });
}
