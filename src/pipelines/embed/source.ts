/** Where the photos to embed come from: a dataset's image cache, or a folder of image files. */
import { createHash } from 'node:crypto';
import { type Dataset, NONE } from '../../data/dataset.ts';
import type { Findings } from '../../data/findings.ts';
import { type LoadedPhoto, loadPhoto } from '../../data/photo-file.ts';
import { liesBelow, photosBelow } from '../../data/photo-folder.ts';
import { CourierError, hasSystemCode } from '../../errors.ts';

export interface PhotoSource {
  /** Of the items that have a photo, in the order in which they are written. (n) */
  readonly ids: readonly string[];
  /** What the user knows item i's photo by. */
  nameOf(item: number): string;
  /** Reads and decodes item i's photo; may be called for several items at once. */
  load(item: number, isKnown: (hash: string) => boolean): Promise<LoadedPhoto>;
}

/** Items of a dataset; the hash is that of the photo's pixels. */
export function datasetSource({ catalogue, images }: Dataset): PhotoSource {
  const items = [...catalogue.photo.keys()].filter((item) => catalogue.photo[item] !== NONE);
  const ids = items.map((item) => catalogue.ids[item]!);
  return {
    ids,
    nameOf: (item) => ids[item]!,
    async load(item, isKnown) {
      const pixels = images.read([catalogue.photo[items[item]!]!]);
      const hash = createHash('sha256').update(pixels).digest('hex');
      return isKnown(hash) ? { kind: 'known', hash } : { kind: 'pixels', hash, pixels };
    },
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
    const remedy =
      'Name a folder that holds .jpg, .png, .webp, .gif, .tiff or .avif files itself: links to folders are not followed.';
    throw new CourierError('FILE_NOT_FOUND', `There are no photos in ${root}${instead}.`, remedy);
  }
  return {
    ids: photos.map(({ id }) => id),
    nameOf: (item) => photos[item]!.name,
    async load(item, isKnown) {
      const { path } = photos[item]!;
      if (await leadsOut(root, path)) {
        return { kind: 'failed', problem: 'Photos that are links out of the folder, left out' };
      }
      return loadPhoto({ kind: 'file', path }, side, isKnown);
    },
  };
}

/** A link to nothing leads nowhere: reading it tells that it is missing. */
async function leadsOut(root: string, path: string): Promise<boolean> {
  try {
    return !(await liesBelow(root, path));
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return false;
    throw error;
  }
}
