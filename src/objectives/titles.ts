/** Titles of items as numbers: the words that a catalogue's training photos go by. */
import { type Catalogue, NONE } from '../data/dataset.ts';

/** Words of a title that are read. */
export const longestTitle = 24;
/** Words that are known at most. */
const mostWords = 8192;
/** A word that a single photo has says nothing about another. */
const leastPhotos = 2;

export interface PhotoTitles {
  /** V, words that are known. */
  readonly words: number;
  /** The known words of each photo's title, by number; photos without one are not in it. */
  readonly byPhoto: ReadonlyMap<number, Int32Array>;
  /** The number of each title: photos with the same words share it. */
  readonly identityOf: ReadonlyMap<number, number>;
}

/** @param photos rows in the image cache whose titles may be looked at */
export function titlesOf(catalogue: Pick<Catalogue, 'photo' | 'titles'>, photos: Int32Array): PhotoTitles {
  const texts = new Map<number, readonly string[]>();
  const wanted = new Set(photos);
  for (const [item, photo] of catalogue.photo.entries()) {
    const title = catalogue.titles[item];
    if (photo === NONE || !wanted.has(photo) || texts.has(photo) || title === null || title === undefined)
      continue;
    texts.set(photo, wordsOf(title));
  }
  const numbers = numberWords(texts.values());
  const byPhoto = new Map<number, Int32Array>();
  const identityOf = new Map<number, number>();
  const identities = new Map<string, number>();
  for (const photo of photos) {
    const known = (texts.get(photo) ?? []).flatMap((word) => numbers.get(word) ?? []);
    if (known.length === 0) continue;
    const tokens = Int32Array.from(known.slice(0, longestTitle));
    const identity = identities.get(tokens.join(' ')) ?? identities.size;
    identities.set(tokens.join(' '), identity);
    byPhoto.set(photo, tokens);
    identityOf.set(photo, identity);
  }
  return { words: numbers.size, byPhoto, identityOf };
}

/** Runs of letters and digits, in lower case. */
function wordsOf(title: string): readonly string[] {
  return (
    title
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** The most frequent words; among equally frequent ones those that come first in the order of code units. */
function numberWords(texts: Iterable<readonly string[]>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const chosen = [...counts]
    .filter(([, count]) => count >= leastPhotos)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, mostWords);
  return new Map(chosen.map(([word], number) => [word, number]));
}
