/** How a source of embeddings at a smaller size is called in rows and files: `courier@64`. */

const mark = '@';

/** @param size as settings have it; null for whole embeddings, which go by the name of their source */
export function sourceAtSize(source: string, size: string | null): string {
  return size === null ? source : `${source}${mark}${size}`;
}

/** The contrary. Names of files that users give have no such mark. */
export function sizedSource(name: string): { readonly source: string; readonly size: string | null } {
  const [, source = name, size = null] = /^([^@]+)@((?:\d+-)?int8|\d+)$/.exec(name) ?? [];
  return { source, size };
}

/** Whether a row is of whole embeddings: only these are held against other sources. */
export function isWhole({ source }: { readonly source: string | null }): boolean {
  return source === null || sizedSource(source).size === null;
}
