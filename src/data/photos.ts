/** Photos from files into one block of equally large pictures. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { mapAhead } from '../map-ahead.ts';
import type { Progress } from '../progress.ts';
import { NONE } from './dataset.ts';
import type { Findings } from './findings.ts';
import { decoding, type LoadedPhoto, loadPhoto } from './photo-file.ts';

/** Photos between two reports of progress. */
const reportEvery = 256;

/**
 * Decodes photos to sRGB, upright, on white, fitted into a square with white bars so that proportions stay,
 * and writes them to one file. (M, S, S, 3)
 *
 * A photo that is missing or cannot be decoded is a finding, and NONE. Files of equal content are stored
 * once. The result depends on the files and their order only.
 * @param paths one per item, null for none
 * @returns for each path its row in the file, or NONE, and the number of rows
 */
export async function decodePhotos(
  paths: readonly (string | null)[],
  side: number,
  output: string,
  findings: Findings,
  progress: Progress,
  signal?: AbortSignal,
): Promise<{ photo: Int32Array; count: number }> {
  const stage = 'Decode photos';
  const photo = new Int32Array(paths.length).fill(NONE);
  const wanted = [...paths.entries()].flatMap(([item, path]) => (path === null ? [] : [{ item, path }]));
  findings.add('Items without a photo', undefined, paths.length - wanted.length);
  progress({ kind: 'start', stage, total: wanted.length, unit: 'photos' });
  const file = await open(output, 'w');
  try {
    const store = new PhotoStore(file, findings);
    const known = (hash: string) => store.has(hash);
    const load = async (index: number) => {
      signal?.throwIfAborted();
      return loadPhoto(wanted[index]!.path, side, known);
    };
    let done = 0;
    for await (const loaded of mapAhead(wanted.length, load, decoding)) {
      const { item, path } = wanted[done]!;
      photo[item] = await store.add(loaded, basename(path));
      done++;
      if (done % reportEvery === 0 || done === wanted.length) progress({ kind: 'advance', stage, done });
    }
    progress({ kind: 'end', stage, detail: `${store.count} photos` });
    return { photo, count: store.count };
  } finally {
    await file.close();
  }
}

/** Gives every new content the next row, in the order of the calls. */
class PhotoStore {
  count = 0;
  readonly #file: FileHandle;
  readonly #findings: Findings;
  readonly #rows = new Map<string, number>();

  constructor(file: FileHandle, findings: Findings) {
    this.#file = file;
    this.#findings = findings;
  }

  has(hash: string): boolean {
    return this.#rows.has(hash);
  }

  async add(decoded: LoadedPhoto, name: string): Promise<number> {
    if (decoded.kind === 'failed') {
      const reason = decoded.reason === undefined ? '' : `: ${decoded.reason}`;
      this.#findings.add(decoded.problem, `${name}${reason}`);
      return NONE;
    }
    const known = this.#rows.get(decoded.hash);
    if (known !== undefined || decoded.kind === 'known') {
      this.#findings.add('Photos with the same content as another, stored once', name);
      return known ?? NONE;
    }
    if (decoded.format !== undefined) {
      this.#findings.add('Photos in another format than their name says, used', `${name}: ${decoded.format}`);
    }
    await this.#file.writeFile(decoded.pixels);
    this.#rows.set(decoded.hash, this.count);
    return this.count++;
  }
}
