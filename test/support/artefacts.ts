/** What commands leave in a folder, without what differs from run to run: times, and how much memory there was. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import { readSafeTensors } from '../../src/storage/safetensors.ts';

/** Names of files and folders that only a process at work may have. */
const unfinished = /\.(partial|replaced|probe|lock)$/;

/** SHA-256 by path below the folder. Pages, which tell times in words, only have to be there. */
export async function artefactsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const files = (await entriesBelow(folder)).filter((entry) => entry.isFile());
  const hashed = files.map(async ({ parentPath, name }): Promise<[string, string]> => {
    const path = join(parentPath, name);
    const hash = createHash('sha256').update(await timeless(path));
    return [relative(folder, path), hash.digest('hex')];
  });
  return Object.fromEntries((await Promise.all(hashed)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What should be gone when a command has ended. */
export async function leftoversOf(folder: string): Promise<readonly string[]> {
  const entries = await entriesBelow(folder);
  return entries.map(({ name }) => name).filter((name) => unfinished.test(name));
}

function entriesBelow(folder: string) {
  return readdir(folder, { recursive: true, withFileTypes: true });
}

async function timeless(path: string): Promise<string | Buffer> {
  if (/^report\.(html|md)$/.test(basename(path))) return '';
  switch (extname(path)) {
    case '.json':
    case '.jsonl':
    case '.md':
      return withoutTimes(await readFile(path, 'utf8'));
    case '.safetensors': {
      const { metadata, tensors } = await readSafeTensors(path, 'Artefact');
      // The checksum is over the values, so that it may stand for them.
      const shapes = [...tensors].map(([key, { shape }]) => [key, shape]);
      return withoutTimes(JSON.stringify([metadata, shapes]).replaceAll('\\"', '"'));
    }
    default:
      return readFile(path);
  }
}

function withoutTimes(text: string): string {
  const timed = /"(seconds|\w+Seconds|communicationMs|peakMemoryBytes|startedAt)":\s*[^,}\]]+/g;
  return text.replaceAll(timed, '"$1":0').replace(/photos encoded, .* on /, 'photos encoded, on ');
}
