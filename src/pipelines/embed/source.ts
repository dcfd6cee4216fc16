/** Where the photos to embed come from: a dataset's image cache, or a folder of image files. */
import { createHash } from 'node:crypto';
import { type Dataset, NONE } from '../../data/dataset.ts';
import type { Findings } from '../../data/findings.ts';
import { photoExtensions } from '../../data/photos/decode-photo.ts';
import { type LoadedPhoto, loadPhoto } from '../../data/photos/photo-file.ts';
import { photosBelow } from '../../data/photos/photo-folder.ts';
import { PhotoPool, pooledFrom, type SentPhoto } from '../../data/photos/photo-pool.ts';
import { CourierError } from '../../errors.ts';

export interface PhotoSource {
  /** Of the items that have a photo, in the order in which they are written. (n) */
  readonly ids: readonly string[];
  /** What the user knows item i's photo by. */
  nameOf(item: number): string;
  /**
   * Reads and decodes the photos of some items; may be called again meanwhile.
   * @param isKnown whether the pixels behind a hash are not needed; null where all are
   */
  load(
    items: readonly number[],
    isKnown: ((hash: string) => boolean) | null,
  ): Promise<readonly LoadedPhoto[]>;
  close(): Promise<void>;
}

/** Items of a dataset; the hash is that of the photo's pixels. */
export function datasetSource({ catalogue, images }: Dataset): PhotoSource {
  const items = [...catalogue.photo.keys()].filter((item) => catalogue.photo[item] !== NONE);
  const ids = items.map((item) => catalogue.ids[item]!);
  return {
    ids,
    nameOf: (item) => ids[item]!,
    async load(places, isKnown) {
      return places.map((place) => {
        const pixels = images.read([catalogue.photo[items[place]!]!]);
        const hash = createHash('sha256').update(pixels).digest('hex');
        return isKnown?.(hash) === true ? { kind: 'known', hash } : { kind: 'pixels', hash, pixels };
      });
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Image files of a folder, fitted into squares of this side; the hash is that of the file's bytes.
 * @throws CourierError FILE_NOT_FOUND, also when the folder holds no photo; FILE_UNREADABLE
 */
export async function folderSource(root: string, side: number, findings: Findings): Promise<PhotoSource> {
  const photos = await photosBelow(root, findings);
  if (photos.length === 0) {
    const [other] = findings.list().flatMap(({ examples }) => examples);
    const instead = other === undefined ? '' : `; it holds others, such as ${other}`;
    const remedy = `Name a folder that holds photos itself (${photoExtensions.join(', ')}): links to folders are not followed.`;
    throw new CourierError('FILE_NOT_FOUND', `There are no photos in ${root}${instead}.`, remedy);
  }
  const files = photos.map(({ path }) => ({ kind: 'file', path, below: root }) as const);
  // A few are decoded before threads have begun.
  const pool = photos.length < pooledFrom ? null : PhotoPool.start();
  return {
    ids: photos.map(({ id }) => id),
    nameOf: (item) => photos[item]!.name,
    async load(items, isKnown) {
      const wanted = items.map((item) => files[item]!);
      if (pool !== null) return loadIn(pool, wanted, side, isKnown);
      return Promise.all(wanted.map((file) => loadPhoto(file, side, isKnown ?? (() => false))));
    },
    close: async () => pool?.close(),
  };
}

/** What may be known is hashed first: reading a file again takes little, decoding it much. */
async function loadIn(
  pool: PhotoPool,
  files: readonly SentPhoto[],
  side: number,
  isKnown: ((hash: string) => boolean) | null,
): Promise<readonly LoadedPhoto[]> {
  if (isKnown === null) return pool.decode(files, side);
  const hashed = await pool.hash(files);
  const isNew = (photo: LoadedPhoto) => photo.kind === 'known' && !isKnown(photo.hash);
  const decoded = (
    await pool.decode(
      files.filter((_, place) => isNew(hashed[place]!)),
      side,
    )
  ).values();
  return hashed.map((photo) => (isNew(photo) ? decoded.next().value! : photo));
}
