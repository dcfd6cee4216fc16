/** Where photos may lie: a folder, tar archives, an object store. */
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CourierError } from '../../errors.ts';
import { bucketPhotos, isBucket } from './bucket-photos.ts';
import { isPattern, matchesOf } from './input-files.ts';
import { PhotoCollection } from './photo-collection.ts';
import { tarPhotos } from './tar-photos.ts';

/** @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, CONFIG_INVALID */
export async function openPhotos(images: string): Promise<PhotoCollection> {
  if (isBucket(images)) return bucketPhotos(images);
  const shards = await shardsOf(images);
  return shards === null ? PhotoCollection.open(images) : tarPhotos(images, shards);
}

/** The files and folders that photos are read from; none for an object store, whose changes are not noticed. */
export async function inputsOfPhotos(images: string): Promise<readonly string[]> {
  return isBucket(images) ? [] : ((await shardsOf(images)) ?? [images]);
}

/** Archives, in the order of their names; null for a folder of photos. */
async function shardsOf(images: string): Promise<readonly string[] | null> {
  const entry = await stat(images).catch(() => null);
  if (entry?.isDirectory() === true) {
    const names = await readdir(images);
    const archives = names.filter((name) => extname(name) === '.tar').sort();
    // Beside archives there may be lists and notes, but no photos.
    return archives.length > 0 && archives.length >= names.length / 2
      ? archives.map((name) => join(images, name))
      : null;
  }
  if (entry?.isFile() === true) {
    if (extname(images) === '.tar') return [images];
    const isPacked = /\.(tar\.\w+|tgz|zip|7z|rar)$/i.test(images);
    throw new CourierError(
      'FILE_UNREADABLE',
      `Photos cannot be read from the file ${images}${isPacked ? ', which is compressed' : ''}.`,
      isPacked
        ? 'Unpack it first; a .tar that is not compressed is read as it is.'
        : 'Name a folder, .tar archives, or an address such as s3://bucket/folder.',
    );
  }
  if (!isPattern(images)) return null;
  const matches = (await matchesOf(images)).filter((path) => extname(path) === '.tar');
  return matches.length === 0 ? null : matches;
}
