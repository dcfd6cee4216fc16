/** A folder of photos: which file belongs to which item. */
import { readdir } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';
import { CourierError, hasSystemCode, messageOf } from '../../errors.ts';
import { pathBelow } from '../../storage/files.ts';

/** In the order in which they are preferred when an item has several. */
const extensions = ['.jpg', '.jpeg', '.png', '.webp'];

export class ImageFolder {
  readonly root: string;
  /** File of each item id; ids of photos in subfolders are also known by the path without extension. */
  readonly #files: ReadonlyMap<string, string>;

  /** Names of the photos, without folder and extension. */
  readonly names: readonly string[];

  private constructor(root: string, files: ReadonlyMap<string, string>) {
    this.root = root;
    this.#files = files;
    this.names = [...new Set([...files.keys()].map((id) => basename(id)))];
  }

  /** @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE */
  static async open(root: string): Promise<ImageFolder> {
    const files = new Map<string, string>();
    const paths = (await filesBelow(root, 'Image folder')).map((path) => relative(root, path));
    for (const extension of extensions) {
      for (const path of paths) {
        if (extname(path).toLowerCase() !== extension) continue;
        const stem = path.slice(0, -extension.length).replaceAll('\\', '/');
        for (const id of [stem, basename(stem)]) if (!files.has(id)) files.set(id, join(root, path));
      }
    }
    return new ImageFolder(root, files);
  }

  /** The photo named like the item, or null. */
  ofItem(id: string): string | null {
    return this.#files.get(id) ?? null;
  }

  /** A path from a catalogue, or undefined when it leads out of the folder. */
  below(path: string): string | undefined {
    return pathBelow(this.root, path);
  }
}

/**
 * Every file in a folder and its subfolders, in the order of their names.
 * @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE
 */
export async function filesBelow(root: string, what: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory());
    return files.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (error) {
    const absent = hasSystemCode(error, 'ENOENT', 'ENOTDIR');
    throw new CourierError(
      absent ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      absent ? `${what} not found: ${root}` : `${what} cannot be read: ${root} (${messageOf(error)})`,
      'Check the path; it must be a folder that you may read.',
      { cause: error },
    );
  }
}
