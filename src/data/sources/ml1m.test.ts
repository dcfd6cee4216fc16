import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { numbersOf } from '../../../test/support/numbers.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import {
  tinyBegins as begins,
  type TinyRating,
  writeEntries,
  writeRatings,
  writeTinyMl1m,
} from '../../../test/support/tiny-ml1m.ts';
import { writePhoto } from '../../../test/support/tiny-shop.ts';
import { ingest } from '../../pipelines/ingest/index.ts';

import { splitAt } from '../dataset.ts';
import { buildHistories } from '../history.ts';
import { loadDataset } from '../store.ts';
import { sources } from './index.ts';
import type { SourceData } from './source.ts';

/** One user likes films 1, 2 and 3 and six others not; another has more low ratings than places for them. */
const train: TinyRating[] = [
  [1, 1, 5, begins.train],
  [1, 2, 4, begins.train + 60],
  [1, 3, 5, begins.train + 60],
  ...[11, 12, 13, 14, 15, 16].map((film): TinyRating => [1, film, 3, '']),
  [2, 1, 4, begins.train + 30],
  ...[11, 12, 13, 14, 15, 16].map((film): TinyRating => [2, film, 1, '']),
];
const val: TinyRating[] = [
  [1, 4, 4, begins.val],
  [1, 5, 3, begins.val],
];
const test: TinyRating[] = [
  [1, 6, 2, begins.test],
  [1, 7, 5, begins.test],
];

async function folderWith(changes: { train?: TinyRating[]; val?: TinyRating[]; test?: TinyRating[] } = {}) {
  const { folder } = await writeTinyMl1m(await temporaryFolder());
  const ratings = { train, val, test, ...changes };
  for (const split of ['train', 'val', 'test'] as const) await writeRatings(folder, split, ratings[split]);
  return folder;
}

function read(folder: string, maxBadRows = 0): Promise<SourceData> {
  return sources.ml1m({ folder }).read({ seed: 1, maxBadRows, historyLength: 5, scratch: folder });
}

/** Page views with ids in place of indices. */
function viewsOf({ users, items, clicks, pageViews, exposures }: SourceData) {
  const history = buildHistories(clicks, pageViews, users.length, 5);
  const idsOf = (indices: Iterable<number>) =>
    Array.from(indices, (item) => items[item]?.id).filter((id) => id !== undefined);
  return Array.from(pageViews.user, (user, view) => {
    const rows = Array.from(exposures.item.subarray(pageViews.start[view], pageViews.start[view + 1]));
    const isClicked = (place: number) => exposures.clicked[pageViews.start[view]! + place] === 1;
    return {
      user: users[user],
      seconds: pageViews.time[view]! / 1000,
      split: pageViews.splitTimes === null ? null : splitAt(pageViews.time[view]!, pageViews.splitTimes),
      clicked: idsOf(rows.filter((_, place) => isClicked(place))),
      others: idsOf(rows.filter((_, place) => !isClicked(place))),
      history: idsOf(history.subarray(view * 5, view * 5 + 5)),
    };
  });
}

describe('the protocol ml1m-v2', () => {
  it('shows each high training rating beside low ones of the same user, each once and evenly dealt', async () => {
    const data = await read(await folderWith());
    const views = viewsOf(data).filter(({ split }) => split === 0);
    expect(views.map(({ user, clicked, seconds }) => [user, clicked, seconds])).toEqual([
      ['1', ['1'], begins.train],
      ['2', ['1'], begins.train + 30],
      ['1', ['2'], begins.train + 60],
      ['1', ['3'], begins.train + 60],
    ]);
    const others = (user: string) => views.filter((view) => view.user === user).map((view) => view.others);
    expect(others('1').map(({ length }) => length)).toEqual([2, 2, 2]);
    expect(others('1').flat().sort()).toEqual(['11', '12', '13', '14', '15', '16']);
    expect(new Set(others('2')[0]).size).toBe(4);
    expect(data.findings).toContainEqual({
      what: 'Low training ratings of users with too few high ones to show them beside, in counters only',
      count: 2,
      examples: [],
    });
  });

  it('makes a page view of every validation and test rating, at its time, clicked from four stars on', async () => {
    const views = viewsOf(await read(await folderWith())).filter(({ split }) => split !== 0);
    expect(views.map(({ clicked, others, split, seconds }) => ({ clicked, others, split, seconds }))).toEqual(
      [
        { clicked: ['4'], others: [], split: 1, seconds: begins.val },
        { clicked: [], others: ['5'], split: 1, seconds: begins.val },
        { clicked: [], others: ['6'], split: 2, seconds: begins.test },
        { clicked: ['7'], others: [], split: 2, seconds: begins.test },
      ],
    );
  });

  it('counts the first two thirds of the validation file to the training period, and none of its last time', async () => {
    const split = async (seconds: number[]) => {
      const val = seconds.map((second, film): TinyRating => [1, 40 + film, 5, begins.val + second]);
      const views = viewsOf(await read(await folderWith({ val })));
      return views
        .filter(({ seconds }) => seconds >= begins.val && seconds < begins.test)
        .map(({ split }) => split);
    };
    expect(await split([1, 2, 3, 4, 5, 6])).toEqual([0, 0, 0, 0, 1, 1]);
    expect(await split([1, 2, 3, 3, 3, 6])).toEqual([0, 0, 1, 1, 1, 1]);
  });

  it('counts every rating as shown, a low one of training at the time of a page view of its user', async () => {
    const { users, items, shown } = await read(await folderWith());
    const at = (film: string) =>
      Array.from(shown?.item ?? []).flatMap((item, row) =>
        items[item]?.id === film ? [[users[shown!.user[row]!], shown!.time[row]! / 1000]] : [],
      );
    expect(shown?.item.length).toBe(train.length + val.length + test.length);
    expect(at('5')).toEqual([['1', begins.val]]);
    for (const film of ['11', '14']) {
      const times = at(film);
      expect(times.find(([user]) => user === '2')).toEqual(['2', begins.train + 30]);
      expect([begins.train, begins.train + 60]).toContain(times.find(([user]) => user === '1')?.[1]);
    }
  });

  it('has strictly earlier high ratings in the history, never a rating without a time', async () => {
    const views = viewsOf(await read(await folderWith())).filter(({ user }) => user === '1');
    expect(views.map(({ history }) => history)).toEqual([
      [],
      ['1'],
      ['1'],
      ['3', '2', '1'],
      ['3', '2', '1'],
      ['4', '3', '2', '1'],
      ['4', '3', '2', '1'],
    ]);
  });

  it('knows nothing of ratings at the time of a page view or later, and in training none of the other splits', async () => {
    const { folder } = await writeTinyMl1m(await temporaryFolder());
    const config = { source: 'ml1m', folder, side: 8 } as const;
    const load = async (name: string) => {
      const out = join(folder, name);
      await ingest({ ...config, out });
      const dataset = await loadDataset(out);
      dataset.images.close();
      return dataset;
    };
    const before = await load('before');
    const now = begins.test + 3600 * 20;
    await changeRatings(folder, 'test', ([user, film, stars, seconds]) =>
      Number(seconds) < now ? [user, film, stars, seconds] : [user, film, 6 - stars, seconds],
    );
    const after = await load('after');
    const views = before.pageViews.time.filter((time) => time <= now * 1000).length;
    expect(views).toBeLessThan(before.pageViews.time.length);
    const known = ({ pageViews, exposures }: typeof before) => {
      const rows = pageViews.start[views]!;
      return {
        history: pageViews.history.slice(0, views * pageViews.historyLength),
        item: exposures.item.slice(0, rows),
        numeric: numbersOf(exposures).slice(0, rows * exposures.numeric.names.length),
      };
    };
    expect(known(after)).toEqual(known(before));
    expect(numbersOf(after.exposures)).not.toEqual(numbersOf(before.exposures));

    await changeRatings(folder, 'val', ([user, film, stars, seconds]) => [user, film, 6 - stars, seconds]);
    const other = await load('other');
    const trained = (dataset: typeof before) => {
      const later = dataset.pageViews.time.findIndex((time) => time >= begins.val * 1000);
      const end = dataset.pageViews.start[later]!;
      return numbersOf(dataset.exposures).slice(0, end * dataset.exposures.numeric.names.length);
    };
    expect(trained(other)).toEqual(trained(before));
  });

  it('takes the first of several ratings of a film by a user, so that none comes back in a later split', async () => {
    const data = await read(await folderWith({ test: [...test, [1, 11, 5, begins.test + 5]] }));
    expect(viewsOf(data).filter(({ seconds }) => seconds === begins.test + 5)).toEqual([]);
    expect(data.findings).toContainEqual(
      expect.objectContaining({ what: 'Ratings of a film the user had rated already, dropped', count: 1 }),
    );
  });

  it('refuses splits that overlap in time', async () => {
    const folder = await folderWith({ val: [...val, [2, 5, 3, begins.train]] });
    await expect(read(folder)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringContaining('validation ratings begin at 2000-04-17T19:33:20.000Z'),
    });
  });
});

describe('the files of MovieLens', () => {
  it('are Latin-1, with the year in the title and genres between bars', async () => {
    const folder = await folderWith();
    const film = [1, 'Misérables, Les (Ångström) (1995)', 'Drama|Musical'];
    await writeEntries(join(folder, 'movies.dat'), [film, [2, 'Undated', 'Comedy']]);
    const { items, categoryNames, findings } = await read(folder);
    expect(categoryNames).toEqual(['first_genre', 'genres', 'year']);
    expect(items.slice(0, 2).map(({ title, categories }) => [title, categories])).toEqual([
      ['Misérables, Les (Ångström) (1995)', ['Drama', 'Drama|Musical', '1995']],
      ['Undated', ['Comedy', 'Comedy', null]],
    ]);
    expect(items.find(({ id }) => id === '3')).toMatchObject({ title: null, categories: [null, null, null] });
    const counts = new Map(findings.map(({ what, count }) => [what, count]));
    expect(counts.get('Films without a year in their title')).toBe(1);
    // The ratings know thirteen films.
    expect(counts.get('Rated films that are not in movies.dat')).toBe(11);
  });

  it('are counted where they are messy, and used', async () => {
    const folder = await folderWith();
    await writePhoto(join(folder, 'posters', '999.jpg'), 1);
    await writePhoto(join(folder, 'posters', '1.png'), 50);
    await writeFile(join(folder, 'posters', '1.jpg'), await readFile(join(folder, 'posters', '1.png')));
    await writeEntries(join(folder, 'users.dat'), [[1, 'F', 25, 3, '48067']]);
    const out = join(folder, 'dataset');
    const ran = await courier(
      'ingest',
      '--json',
      '--recipe',
      'ml1m',
      '--data',
      folder,
      '--out',
      out,
      '--side',
      '8',
    );
    expect(ran.exitCode).toBe(0);
    for (const line of [
      '12 Low training ratings without a time, in no history, counted at the time of a high one',
      '1 Posters without a film, ignored: 999',
      '1 Users of the ratings that are not in users.dat: 2',
      '1 Photos in another format than their name says, used: 1.jpg: png',
    ])
      expect(ran.stderr).toContain(line);
    const dataset = await loadDataset(out);
    dataset.images.close();
    expect(dataset.exposures.context.map(({ name, values }) => [name, values])).toEqual([
      ['gender', ['unknown', 'F']],
      ['age', ['unknown', '25']],
      ['occupation', ['unknown', '3']],
    ]);
  });

  it('are refused with what is wrong: a rating without a time, half a file, another header', async () => {
    const timeless = await folderWith({ val: [...val, [1, 20, 2, '']] });
    await expect(read(timeless)).rejects.toMatchObject({
      code: 'TOO_MANY_BAD_ROWS',
      message: expect.stringContaining('val.tsv.gz'),
    });
    expect((await read(timeless, 0.5)).findings).toContainEqual(
      expect.objectContaining({ what: 'Rows of val.tsv.gz skipped: timestamp is not in seconds', count: 1 }),
    );
    const half = await folderWith();
    const path = join(half, 'train.tsv.gz');
    await writeFile(path, (await readFile(path)).subarray(0, 60));
    await expect(read(half)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    const other = await folderWith();
    await writeFile(join(other, 'test.tsv.gz'), gzipSync('user,film\n1,2\n'));
    await expect(read(other)).rejects.toMatchObject({ code: 'COLUMN_MISSING' });
  });
});

async function changeRatings(
  folder: string,
  split: 'val' | 'test',
  change: (rating: TinyRating) => TinyRating,
): Promise<void> {
  const text = gunzipSync(await readFile(join(folder, `${split}.tsv.gz`))).toString('latin1');
  const rows = text.trim().split('\n').slice(1);
  const ratings = rows.map((line): TinyRating => {
    const [user = 0, film = 0, stars = 0, seconds = 0] = line.split('\t').map(Number);
    return [user, film, stars, seconds];
  });
  await writeRatings(folder, split, ratings.map(change));
}
