/** What a server is asked while it is measured. */
import { readFile } from 'node:fs/promises';
import { Random } from '../src/random.ts';
import { candidates, historyLength, type MeasuredShop } from './serve-shop.ts';

export const kinds = ['score', 'events', 'similar', 'embed'] as const;
export type Kind = (typeof kinds)[number];

/** Shares of kinds of requests, which add up to 1. */
export const mixes: Readonly<Record<'score' | 'mixed', Readonly<Record<Kind, number>>>> = {
  score: { score: 1, events: 0, similar: 0, embed: 0 },
  mixed: { score: 0.7, events: 0.2, similar: 0.08, embed: 0.02 },
};

/** Exposures in a request that tells of events. */
const events = 10;

/** Score requests that there are, which come again and again. */
const different = 500;

export interface Prepared {
  readonly kind: Kind;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly type: 'application/json' | 'image/jpeg';
  readonly body: string | Buffer | null;
}

export interface View {
  readonly user: string;
  readonly history: readonly string[];
  readonly candidates: readonly string[];
}

/** Page views of the shop: the same ones for a service and for a server. */
export function viewsOf({ users, items }: Pick<MeasuredShop, 'users' | 'items'>): readonly View[] {
  const random = Random.seeded(1, 'measured page views');
  const some = (count: number) => {
    const chosen = new Set<string>();
    while (chosen.size < count) chosen.add(items[random.integer(items.length)] ?? '');
    return [...chosen];
  };
  return Array.from({ length: different }, () => {
    const user = users[random.integer(users.length)] ?? '';
    return { user, history: some(historyLength), candidates: some(candidates) };
  });
}

/** Gives one request after the other. @param run so that events of one run are not those of another */
export async function preparer(
  shop: MeasuredShop,
  mix: keyof typeof mixes,
  run: string,
): Promise<() => Prepared> {
  const random = Random.seeded(1, `requests of ${run}`);
  const { users, items } = shop;
  const photo = await readFile(shop.photo);
  const post = { method: 'POST', type: 'application/json' } as const;
  const scores = viewsOf(shop).map((view): Prepared => {
    return { ...post, kind: 'score', path: '/v1/score', body: JSON.stringify(view) };
  });
  let [asked, told] = [0, 0];
  const item = () => items[random.integer(items.length)] ?? '';
  const make: Readonly<Record<Kind, () => Prepared>> = {
    score: () => scores[asked++ % scores.length]!,
    events: () => {
      const user = users[random.integer(users.length)] ?? '';
      const shown = Array.from({ length: events }, () => {
        return { id: `${run} ${told++}`, kind: 'exposure', user, item: item(), time: Date.now() };
      });
      return { ...post, kind: 'events', path: '/v1/events', body: JSON.stringify({ events: shown }) };
    },
    similar: () => {
      const path = `/v1/similar/${encodeURIComponent(item())}`;
      return { method: 'GET', kind: 'similar', path, type: 'application/json', body: null };
    },
    embed: () => ({ method: 'POST', kind: 'embed', path: '/v1/embed', type: 'image/jpeg', body: photo }),
  };
  const shares = mixes[mix];
  return () => {
    let left = random.uniform();
    for (const kind of kinds) {
      left -= shares[kind];
      if (left < 0) return make[kind]();
    }
    return make.score();
  };
}
