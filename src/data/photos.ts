/** Photos from files into one block of equally large pictures. */
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, extname } from 'node:path';
import sharp from 'sharp';
import { hasSystemCode, messageOf } from '../errors.ts';
import type { Progress } from '../progress.ts';
import { NONE } from './dataset.ts';
import type { Findings } from './findings.ts';

const maxFileBytes = 20 * 1024 * 1024;
const maxPixels = 64 * 1024 * 1024;
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
  { name: 'heif', extensions: ['.avif', '.heif', '.heic'], signature: /^.{4}ftyp/s },
];

// No two photos share an operation, so that remembering the last ones only costs time.
sharp.cache(false);

/** So many photos are decoded before any is written: enough to keep the cores busy, little to remember. */
const batchSize = 256;

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
): Promise<{ photo: Int32Array; count: number }> {
  const stage = 'Decode photos';
  const photo = new Int32Array(paths.length).fill(NONE);
  const wanted = [...paths.entries()].flatMap(([item, path]) => (path === null ? [] : [{ item, path }]));
  findings.add('Items without a photo', undefined, paths.length - wanted.length);
  progress({ kind: 'start', stage, total: wanted.length, unit: 'photos' });
  const file = await open(output, 'w');
  try {
    const store = new PhotoStore(file, findings);
    for (let from = 0; from < wanted.length; from += batchSize) {
      const batch = wanted.slice(from, from + batchSize);
      const decoded = await mapConcurrently(batch, ({ path }) => decode(path, side, store));
      for (const [index, result] of decoded.entries()) {
        const { item, path } = batch[index]!;
        photo[item] = await store.add(result, basename(path));
      }
      progress({ kind: 'advance', stage, done: from + batch.length });
    }
    progress({ kind: 'end', stage, detail: `${store.count} photos` });
    return { photo, count: store.count };
  } finally {
    await file.close();
  }
}

/** A decoded photo, the hash of a file already stored, or why there is none. */
type Decoded =
  | { readonly kind: 'pixels'; readonly hash: string; readonly pixels: Buffer; readonly format: Format }
  | { readonly kind: 'known'; readonly hash: string }
  | { readonly kind: 'failed'; readonly problem: string; readonly reason?: string };

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

  async add(decoded: Decoded, name: string): Promise<number> {
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
    if (!decoded.format.extensions.includes(extname(name).toLowerCase())) {
      this.#findings.add(
        'Photos in another format than their name says, used',
        `${name}: ${decoded.format.name}`,
      );
    }
    await this.#file.writeFile(decoded.pixels);
    this.#rows.set(decoded.hash, this.count);
    return this.count++;
  }
}

async function decode(path: string, side: number, store: PhotoStore): Promise<Decoded> {
  try {
    const entry = await stat(path);
    if (!entry.isFile()) return { kind: 'failed', problem: 'Photos that are no files, left out' };
    if (entry.size > maxFileBytes) {
      return { kind: 'failed', problem: `Photos over ${maxFileBytes} bytes, left out` };
    }
    const bytes = await readFile(path);
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (store.has(hash)) return { kind: 'known', hash };
    return { kind: 'pixels', hash, ...(await decodeBytes(bytes, side)) };
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'failed', problem: 'Photos missing' };
    const reason = messageOf(error).replaceAll(path, basename(path));
    return { kind: 'failed', problem: 'Photos unreadable, truncated or too large, left out', reason };
  }
}

async function decodeBytes(bytes: Buffer, side: number): Promise<{ pixels: Buffer; format: Format }> {
  const beginning = bytes.toString('latin1', 0, 16);
  const format = formats.find(({ signature }) => signature.test(beginning));
  if (format === undefined) throw new Error('not a photo in a format that is known');
  const { data, info } = await sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels })
    .autoOrient()
    .flatten({ background: white })
    .resize(side, side, { fit: 'contain', background: white })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3 || data.length !== side * side * 3) {
    throw new Error(`decoded to ${info.width} x ${info.height} x ${info.channels}`);
  }
  return { pixels: data, format };
}

/** Results in the order of the values. Two tasks per core, so that one decodes while the other reads. */
async function mapConcurrently<T, R>(
  values: readonly T[],
  task: (value: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < values.length) {
      const index = next++;
      results[index] = await task(values[index]!);
    }
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, work));
  return results;
}
