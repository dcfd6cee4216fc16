/** Adapter for MovieLens 1M with posters: movies.dat, users.dat, ratings split by time; protocol ml1m-v2. */
import { join } from 'node:path';
import { z } from 'zod';
import { Random } from '../../random.ts';
import { encodeCategories } from '../categories.ts';
import { Findings } from '../findings.ts';
import { Indexer } from '../indexer.ts';
import { type Film, likedFrom, readFilms, readRatings, readViewers, type Viewer } from './ml1m-files.ts';
import {
  clicksOf,
  pageViewsOf,
  type RatedPageViews,
  ratedCandidates,
  type SplitRatings,
} from './ml1m-page-views.ts';
import { PhotoCollection, photoOf } from './photo-collection.ts';
import type { Source, SourceData, SourceItem, SourcePageViews } from './source.ts';

export const ml1mOptions = z.object({
  folder: z
    .string()
    .min(1)
    .describe('Folder with movies.dat, users.dat, train.tsv.gz, val.tsv.gz, test.tsv.gz and posters.'),
});

const inputNames = ['movies.dat', 'users.dat', 'train.tsv.gz', 'val.tsv.gz', 'test.tsv.gz', 'posters'];

/** The log knows seconds: a counter may use all that came before the page view's own. Milliseconds. */
const second = 1000;

export const ml1mSource: Source<z.output<typeof ml1mOptions>> = {
  options: ml1mOptions,
  name: () => 'ml1m',
  inputs: async ({ folder }) => inputNames.map((name) => join(folder, name)),
  async read({ folder }, { seed, maxBadRows }): Promise<SourceData> {
    const findings = new Findings();
    const posters = await PhotoCollection.open(join(folder, 'posters'));
    const known = await readFilms(folder, maxBadRows, findings);
    const films = new Indexer();
    for (const id of known.keys()) films.indexOf(id);
    const users = new Indexer();
    const ratings = await readSplits(folder, users, films, maxBadRows, findings);
    const viewers = await readViewers(folder, maxBadRows, findings);
    const { views, shown } = pageViewsOf(
      ratings,
      users.ids.length,
      Random.seeded(seed, 'candidates'),
      findings,
    );
    return {
      users: users.ids,
      items: describeFilms(films.ids, known, posters, findings),
      categoryNames: ['first_genre', 'genres', 'year'],
      clicks: clicksOf(ratings),
      shown,
      counterPeriod: second,
      pageViews: describePageViews(views, users.ids, viewers, findings),
      exposures: { item: views.item, clicked: views.clicked, logged: null, numeric: [] },
      history: null,
      candidateSampling: ratedCandidates,
      candidatesAreSampled: false,
      understood: [],
      findings: findings.list(),
    };
  },
};

async function readSplits(
  folder: string,
  users: Indexer,
  films: Indexer,
  maxBadRows: number,
  findings: Findings,
): Promise<SplitRatings> {
  const context = { users, films, rated: new Set<number>(), maxBadRows, findings };
  const train = await readRatings(folder, 'train.tsv.gz', true, context);
  const timed = train.time.filter((time) => !Number.isNaN(time)).length;
  const low = train.stars.filter((stars) => stars < likedFrom).length;
  const timeless = train.time.length - timed;
  findings.add(
    'Low training ratings without a time, in no history, counted at the time of a high one',
    undefined,
    timeless,
  );
  findings.add('Low training ratings with a time, which is not used', undefined, low - timeless);
  const validation = await readRatings(folder, 'val.tsv.gz', false, context);
  return [train, validation, await readRatings(folder, 'test.tsv.gz', false, context)];
}

/** Every film of movies.dat, then those that only the ratings know. */
function describeFilms(
  ids: readonly string[],
  known: ReadonlyMap<string, Film>,
  posters: PhotoCollection,
  findings: Findings,
): SourceItem[] {
  const numbers = new Set(ids);
  for (const name of posters.names) {
    if (!numbers.has(name)) findings.add('Posters without a film, ignored', name);
  }
  return ids.map((id) => {
    const film = known.get(id);
    const year = /\((\d{4})\)\s*$/.exec(film?.title ?? '')?.[1] ?? null;
    if (film === undefined) findings.add('Rated films that are not in movies.dat', id);
    else if (year === null) findings.add('Films without a year in their title', film.title);
    const [first = null] = film?.genres.split('|') ?? [];
    return {
      id,
      photo: photoOf(posters.ofItem(id)),
      title: film?.title ?? null,
      categories: [first, film?.genres ?? null, year],
    };
  });
}

function describePageViews(
  { user, time, splitTimes, start }: RatedPageViews,
  ids: readonly string[],
  viewers: ReadonlyMap<string, Viewer>,
  findings: Findings,
): SourcePageViews {
  for (const id of ids) {
    if (!viewers.has(id)) findings.add('Users of the ratings that are not in users.dat', id);
  }
  const column = (name: keyof Viewer) =>
    encodeCategories(
      name,
      Array.from(user, (index) => viewers.get(ids[index]!)?.[name] ?? null),
    );
  return {
    user,
    time,
    splitTimes,
    start,
    context: [column('gender'), column('age'), column('occupation')],
  };
}
