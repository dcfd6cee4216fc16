/** The files of MovieLens 1M with time splits: Latin-1, `::` or tabs between values, the ratings in gzip. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { CourierError, hasSystemCode, messageOf } from '../../errors.ts';
import { readInput, requireReadable } from '../../storage/files.ts';
import { BadRows, type Findings } from '../findings.ts';
import type { Indexer } from '../indexer.ts';

/** A file may have so much, unpacked: more than twenty times the largest of the original. */
const maxBytes = 384 * 1024 * 1024;
const id = /^\d{1,9}$/;

/** From so many stars on a rating is a click. */
export const likedFrom = 4;

/** Ratings in the order of their file. (n) each */
export interface Ratings {
  /** Indices of users and films. */
  readonly user: Int32Array;
  readonly item: Int32Array;
  /** 1 to 5. */
  readonly stars: Uint8Array;
  /** Milliseconds since 1970-01-01 UTC; NaN for low training ratings, whose time is not known. */
  readonly time: Float64Array;
}

export interface Film {
  readonly title: string;
  /** As the file has them: several are separated by `|`. */
  readonly genres: string;
}

/** Codes as the file has them. */
export interface Viewer {
  readonly gender: string;
  readonly age: string;
  readonly occupation: string;
}

/** What the three rating files share. */
export interface RatingContext {
  readonly users: Indexer;
  readonly films: Indexer;
  /** Pairs of user and film that were met, as `pairOf` numbers them. */
  readonly rated: Set<number>;
  readonly maxBadRows: number;
  readonly findings: Findings;
}

/**
 * Reads `train.tsv.gz`, `val.tsv.gz` or `test.tsv.gz`. Of several ratings of one film by one user the first
 * counts, whichever file the others are in: one that came back later would give its answer away.
 * @param canLackTime whether ratings below `likedFrom` may, as in training
 * @throws CourierError FILE_NOT_FOUND, FILE_UNREADABLE, LIMIT_EXCEEDED, COLUMN_MISSING, LOG_EMPTY or
 * TOO_MANY_BAD_ROWS
 */
export async function readRatings(
  folder: string,
  file: string,
  canLackTime: boolean,
  { users, films, rated, maxBadRows, findings }: RatingContext,
): Promise<Ratings> {
  const [header = '', ...lines] = await readLines(join(folder, file), 'Ratings');
  const places = placesOf(['user_id', 'movie_id', 'rating', 'timestamp'], header.split('\t'), file);
  const badRows = new BadRows(file, findings);
  const [user, item, stars, time]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (const [index, line] of lines.entries()) {
    const values = line.split('\t');
    const [viewer = '', film = '', rating = '', seconds = ''] = places.map((place) => values[place]);
    const skip = (reason: string, value: string): void => badRows.skip(index + 1, reason, value);
    const lacksTime = seconds === '' && canLackTime && Number(rating) < likedFrom;
    if (!id.test(viewer)) skip('user_id is no number', viewer);
    else if (!id.test(film)) skip('movie_id is no number', film);
    else if (!/^[1-5]$/.test(rating)) skip('rating is not 1 to 5', rating);
    else if (!lacksTime && !/^\d{1,11}$/.test(seconds)) skip('timestamp is not in seconds', seconds);
    else {
      const pair = pairOf(users.indexOf(viewer), films.indexOf(film));
      if (rated.has(pair)) findings.add('Ratings of a film the user had rated already, dropped', line);
      else {
        rated.add(pair);
        user.push(users.indexOf(viewer));
        item.push(films.indexOf(film));
        stars.push(Number(rating));
        time.push(lacksTime ? Number.NaN : Number(seconds) * 1000);
      }
    }
  }
  badRows.check(lines.length, maxBadRows);
  if (user.length === 0)
    throw new CourierError('LOG_EMPTY', `${file} in ${folder} has no ratings.`, 'Check the folder.');
  return {
    user: Int32Array.from(user),
    item: Int32Array.from(item),
    stars: Uint8Array.from(stars),
    time: Float64Array.from(time),
  };
}

/** Films by their id, in the order of movies.dat. */
export async function readFilms(
  folder: string,
  maxBadRows: number,
  findings: Findings,
): Promise<Map<string, Film>> {
  return readEntries(folder, 'movies.dat', 3, maxBadRows, findings, ([title = '', genres = '']) => ({
    title,
    genres,
  }));
}

/** Users by their id. */
export async function readViewers(
  folder: string,
  maxBadRows: number,
  findings: Findings,
): Promise<Map<string, Viewer>> {
  const viewerOf = ([gender = '', age = '', occupation = '']: string[]) => ({ gender, age, occupation });
  return readEntries(folder, 'users.dat', 5, maxBadRows, findings, viewerOf);
}

async function readEntries<T>(
  folder: string,
  file: string,
  width: number,
  maxBadRows: number,
  findings: Findings,
  entryOf: (values: string[]) => T,
): Promise<Map<string, T>> {
  const lines = await readLines(join(folder, file), 'Catalogue');
  const badRows = new BadRows(file, findings);
  const entries = new Map<string, T>();
  for (const [index, line] of lines.entries()) {
    const [key = '', ...values] = line.split('::');
    if (!id.test(key) || values.length !== width - 1)
      badRows.skip(index + 1, `not ${width} values, the first a number`, line);
    else if (entries.has(key)) findings.add(`Rows of ${file} with an id already seen, dropped`, line);
    else entries.set(key, entryOf(values));
  }
  badRows.check(lines.length, maxBadRows);
  return entries;
}

/** Lines of a file without their ends; a name that ends in .gz is unpacked. */
async function readLines(path: string, what: string): Promise<string[]> {
  await requireReadable(path, what);
  if ((await stat(path)).size > maxBytes) throw tooLarge(path, what);
  const content = await readInput(path, what);
  const bytes = path.endsWith('.gz') ? await unpack(content, path, what) : content;
  const lines = bytes.toString('latin1').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

async function unpack(content: Buffer, path: string, what: string): Promise<Buffer> {
  try {
    return await promisify(gunzip)(content, { maxOutputLength: maxBytes });
  } catch (error) {
    if (hasSystemCode(error, 'ERR_BUFFER_TOO_LARGE')) throw tooLarge(path, what);
    throw new CourierError(
      'FILE_UNREADABLE',
      `${what} cannot be unpacked: ${path} (${messageOf(error)})`,
      'Check that it is a whole gzip file.',
      { cause: error },
    );
  }
}

function placesOf(names: readonly string[], header: readonly string[], file: string): number[] {
  return names.map((name) => {
    const place = header.indexOf(name);
    if (place >= 0) return place;
    throw new CourierError(
      'COLUMN_MISSING',
      `${file} has no column \`${name}\`; it has ${header.map((each) => `\`${each.slice(0, 40)}\``).join(', ')}.`,
      'Check that it is the file of this layout.',
    );
  });
}

/** One whole number for a pair of indices, each below 2^26. */
function pairOf(user: number, item: number): number {
  return user * 2 ** 26 + item;
}

function tooLarge(path: string, what: string): CourierError {
  return new CourierError(
    'LIMIT_EXCEEDED',
    `${what} would take more than ${maxBytes / 1024 ** 2} MiB: ${path}`,
    'Check that it is the file of this layout.',
  );
}
