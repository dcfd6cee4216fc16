/** Photos with names, wherever they lie: which of them belongs to which item. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import { CourierError, hasSystemCode, messageOf } from '../../errors.ts';
import { photoExtensions } from '../photos/decode-photo.ts';
import type { PhotoInput } from '../photos/photo-file.ts';

/** In the order in which they are preferred when an item has several: these, others that are read, and none. */
const preferred = ['.jpg', '.jpeg', '.jfif', '.png', '.webp', '.avif'];
const extensions = [...new Set([...preferred, ...photoExtensions, ''])];

/** What a collection knows of a photo: how to read it, or why there is none. */
export type PhotoPlace =
  | {
      readonly kind: 'found';
      /** Its name in the collection. */
      readonly path: string;
      readonly photo: PhotoInput;
      /** Photos of the same item beside it. */
      readonly others: number;
    }
  | { readonly kind: 'missing' }
  /** Several items could own a file of that name. */
  | { readonly kind: 'shared' }
  /** The path leads out of the folder. */
  | { readonly kind: 'outside' }
  /** The address of a photo that is not here. */
  | { readonly kind: 'remote'; readonly address: string };

/** The photo of a place; null where there is none. */
export function photoOf(place: PhotoPlace): PhotoInput | null {
  return place.kind === 'found' ? place.photo : null;
}

const missing: PhotoPlace = { kind: 'missing' };

/** Photos by the ids of items, and by what a catalogue writes. */
export class PhotoCollection {
  /** Where the collection lies, as it was named. */
  readonly root: string;
  /** Names of the photos, without folder and extension. */
  readonly names: readonly string[];
  /** Relative paths with `/`, as they are. */
  readonly #paths: ReadonlySet<string>;
  /** The same by their lower case, where that is one path alone. */
  readonly #folded: ReadonlyMap<string, string | null>;
  /** By the path without extension: the preferred one. */
  readonly #stems: ReadonlyMap<string, string>;
  /** By the name without folder and extension; null for one in several folders. */
  readonly #names: ReadonlyMap<string, string | null>;
  /** Photos right below a folder, by its name, in natural order; null for one in several places. */
  readonly #folders: ReadonlyMap<string, readonly string[] | null>;

  readonly #read: (path: string) => PhotoInput;

  /**
   * @param paths relative to the root, with `/`
   * @param read makes a photo of a path
   */
  constructor(root: string, paths: readonly string[], read: (path: string) => PhotoInput) {
    this.root = root;
    this.#read = read;
    const photos = paths.filter((path) => {
      return extensions.includes(extname(path).toLowerCase()) && !basename(path).startsWith('.');
    });
    const preferred = photos.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    this.#paths = new Set(paths);
    this.#folded = onlyOnes(paths.map((path) => [path.toLowerCase(), path]));
    // a.jpg.webp is that of a.jpg, and of a.
    const twice = preferred.filter((path) => stemOf(stemOf(path)) !== stemOf(path));
    this.#stems = new Map([
      ...twice.toReversed().map((path): [string, string] => [stemOf(stemOf(path)), path]),
      ...preferred.toReversed().map((path): [string, string] => [stemOf(path), path]),
    ]);
    const stems = [...this.#stems.keys()];
    this.#names = onlyOnes(stems.map((stem) => [basename(stem), this.#stems.get(stem)!]));
    this.names = [...this.#names.keys()];
    const folders = [...new Set(photos.map((path) => dirname(path)).filter((folder) => folder !== '.'))];
    const order = new Intl.Collator('en', { numeric: true });
    this.#folders = onlyOnes(
      folders.map((folder) => [
        basename(folder),
        photos.filter((path) => dirname(path) === folder).sort(order.compare),
      ]),
    );
  }

  /** Those of a folder. @throws CourierError FILE_NOT_FOUND or FILE_UNREADABLE */
  static async open(root: string): Promise<PhotoCollection> {
    const paths = (await filesBelow(root, 'Image folder')).map((path) => relative(root, path));
    return new PhotoCollection(
      root,
      paths.map((path) => path.replaceAll('\\', '/')),
      (path) => ({ kind: 'file', path: join(root, path) }),
    );
  }

  /** The photo named like the item, wherever in the folder; or the first in a folder that is named so. */
  ofItem(id: string): PhotoPlace {
    const own = this.#stems.get(id);
    if (own !== undefined) return this.#file(own);
    const within = this.#folders.get(basename(id));
    if (within != null && within.length > 0) return this.#file(within[0]!, within.length - 1);
    const named = this.#names.get(id);
    if (named === undefined) return missing;
    return named === null ? { kind: 'shared' } : this.#file(named);
  }

  /**
   * The photo that a catalogue names, in any honest form: below the folder or with the folder's own path before it, absolute,
   * as a file URL, without extension, in other case; of a list the first.
   */
  named(text: string): PhotoPlace {
    const [first = '', ...others] = listed(text);
    if (/^https?:\/\//i.test(first)) return { kind: 'remote', address: first };
    const written = first.replace(/^file:\/\//i, '').replaceAll('\\', '/');
    const inside = isAbsolute(written) ? relative(resolve(this.root), written).replaceAll('\\', '/') : null;
    const whole = inside !== null && !inside.startsWith('..') ? inside : written;
    const parts = whole.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) {
      const path = relative(resolve(this.root), resolve(this.root, ...parts)).replaceAll('\\', '/');
      return path.startsWith('..') ? { kind: 'outside' } : this.#found(path, others.length);
    }
    // From the whole path to the name alone: what stands before is the way to the folder.
    for (let from = 0; from < parts.length; from++) {
      const place = this.#found(parts.slice(from).join('/'), others.length);
      if (place.kind === 'found') return place;
    }
    return isAbsolute(written) &&
      inside?.startsWith('..') === true &&
      parts.length > 1 &&
      first.startsWith('/')
      ? { kind: 'outside' }
      : missing;
  }

  /** A name of the folder that is much like another, for messages. */
  nearest(text: string): string | null {
    const wanted = stemOf(basename(text)).toLowerCase();
    const common = (name: string) => {
      let length = 0;
      while (length < name.length && name[length]?.toLowerCase() === wanted[length]) length++;
      return length;
    };
    const [best] = [...this.#paths].toSorted((a, b) => common(basename(b)) - common(basename(a)));
    return best ?? null;
  }

  #found(path: string, others: number): PhotoPlace {
    if (this.#paths.has(path)) return this.#file(path, others);
    const folded = this.#folded.get(path.toLowerCase());
    if (folded != null) return this.#file(folded, others);
    const stem = this.#stems.get(path);
    return stem === undefined ? missing : this.#file(stem, others);
  }

  #file(path: string, others = 0): PhotoPlace {
    return { kind: 'found', path, photo: this.#read(path), others };
  }
}

/** The members of a list that is written as text: `['a.jpg', 'b.jpg']`, `a.jpg|b.jpg`; else the text itself. */
function listed(text: string): readonly string[] {
  const bare = /^\[(.*)\]$/s.exec(text.trim())?.[1] ?? text;
  const separator = bare === text ? '|' : ',';
  return bare
    .split(separator)
    .map((part) => part.trim().replace(/^["'](.*)["']$/, '$1'))
    .filter((part) => part !== '');
}

function rank(path: string): number {
  return extensions.indexOf(extname(path).toLowerCase());
}

function stemOf(path: string): string {
  const extension = extname(path);
  return extensions.includes(extension.toLowerCase()) ? path.slice(0, path.length - extension.length) : path;
}

/** A map in which a key that comes twice has null. */
function onlyOnes<T>(entries: readonly (readonly [string, T])[]): Map<string, T | null> {
  const found = new Map<string, T | null>();
  for (const [key, value] of entries) found.set(key, found.has(key) ? null : value);
  return found;
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
