/** A folder of photos as a catalogue: every photo is an item, named by its place in the folder. */
import { extname, relative, sep } from 'node:path';
import type { Findings } from '../findings.ts';
import { filesBelow } from '../sources/photo-collection.ts';
import { photoExtensions } from './decode-photo.ts';

export interface PhotoFile {
  /** The path below the folder without its extension, with `/` between its parts. */
  readonly id: string;
  /** As the folder's owner knows it. */
  readonly name: string;
  readonly path: string;
}

/**
 * The photos of a folder and its subfolders, by their extension, in the order of their ids. Links to folders
 * are not followed. Of two photos of one id, such as `a.jpg` and `a.png`, the first of `photoExtensions` is
 * taken.
 * @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE for the folder
 */
export async function photosBelow(root: string, findings: Findings): Promise<readonly PhotoFile[]> {
  const files = (await filesBelow(root, 'Photo folder')).map((path) => ({
    path,
    name: relative(root, path),
  }));
  const photos = new Map<string, PhotoFile>();
  for (const extension of photoExtensions) {
    for (const { path, name } of files) {
      if (extensionOf(path) !== extension) continue;
      const id = name.slice(0, -extension.length).replaceAll(sep, '/');
      if (photos.has(id)) findings.add('Photos of an item that has another, left out', name);
      else photos.set(id, { id, name, path });
    }
  }
  for (const { path, name } of files) {
    if (!photoExtensions.includes(extensionOf(path)))
      findings.add('Files that are no photos, left out', name);
  }
  return [...photos.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function extensionOf(path: string): string {
  return extname(path).toLowerCase();
}
