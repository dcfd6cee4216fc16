/** MovieLens 1M in miniature, in the layout of the adapter ml1m. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Random } from '../../src/random.ts';
import { writePhoto } from './tiny-shop.ts';

/** User, film, stars, and seconds or nothing. */
export type TinyRating = readonly [user: number, film: number, stars: number, seconds: number | ''];

/** Begins of training, validation and test in seconds. */
export const tinyBegins = { train: 956_000_000, val: 976_000_000, test: 979_000_000 } as const;

export async function writeRatings(
  folder: string,
  split: keyof typeof tinyBegins,
  ratings: readonly TinyRating[],
): Promise<void> {
  const lines = ratings.map((rating) => `${rating.join('\t')}\n`);
  await writeFile(
    join(folder, `${split}.tsv.gz`),
    gzipSync(`user_id\tmovie_id\trating\ttimestamp\n${lines.join('')}`),
  );
}

/** Fields of movies.dat or users.dat, written as the original: `::` and Latin-1. */
export async function writeEntries(path: string, entries: readonly (readonly (string | number)[])[]) {
  await writeFile(path, Buffer.from(entries.map((entry) => `${entry.join('::')}\n`).join(''), 'latin1'));
}

/**
 * 10 users rate 18 of 24 films each: 12 in training, of which the low ones have no time, 3 in validation and
 * 3 in test, several of them in the same second. Every film has a poster.
 */
export async function writeTinyMl1m(folder: string): Promise<{ folder: string }> {
  const random = Random.seeded(7, 'tiny-ml1m');
  const films = Array.from({ length: 24 }, (_, film) => film + 1);
  const users = Array.from({ length: 10 }, (_, user) => user + 1);
  const ratings: Record<keyof typeof tinyBegins, TinyRating[]> = { train: [], val: [], test: [] };
  for (const user of users) {
    for (const [turn, film] of random
      .shuffle([...films])
      .slice(0, 18)
      .entries()) {
      const split = turn < 12 ? 'train' : turn < 15 ? 'val' : 'test';
      const stars = 1 + random.integer(5);
      const seconds = tinyBegins[split] + 3600 * random.integer(40);
      ratings[split].push([user, film, stars, split === 'train' && stars < 4 ? '' : seconds]);
    }
  }
  await mkdir(join(folder, 'posters'), { recursive: true });
  for (const split of ['train', 'val', 'test'] as const) await writeRatings(folder, split, ratings[split]);
  const genres = ['Animation|Comedy', 'Drama', 'Comedy'];
  await writeEntries(
    join(folder, 'movies.dat'),
    films.map((film) => [film, `Film no. ${film} (${1980 + (film % 4)})`, genres[film % 3]!]),
  );
  await writeEntries(
    join(folder, 'users.dat'),
    users.map((user) => [user, user % 2 ? 'F' : 'M', user % 3 ? 25 : 35, user % 4, '48067']),
  );
  for (const film of films) await writePhoto(join(folder, 'posters', `${film}.jpg`), film);
  return { folder };
}
