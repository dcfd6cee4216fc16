/** What offline code gives page views of one moment, by either of two exports. */
import { join } from 'node:path';
import { closeDataset, loadDataset } from '../src/data/store.ts';
import type { ShopEvent } from '../src/serving/events.ts';
import type { ScoreRequest } from '../src/serving/requests.ts';
import { openService } from '../src/serving/service.ts';
import type { EventStream } from '../test/support/event-stream.ts';
import {
  exportOf,
  largestDifference,
  offlineFeature,
  offlineScores,
  replay,
} from '../test/support/served-shop.ts';
import { clock, features, type Shop } from './serve-outcome.ts';

/** How far a score may be from that of offline code. */
export const tolerance = 1e-5;

/** Page views beside that of the dataset. */
const others = 20;

export interface References {
  /** What happened in the shop before the moment. */
  readonly before: readonly ShopEvent[];
  /** Page views of the moment. */
  readonly requests: readonly ScoreRequest[];
  /** Scores of each request, by each export. */
  readonly exports: readonly { readonly folder: string; readonly scores: readonly Float32Array[] }[];
  /** Events that come after the moment. */
  readonly stream: EventStream;
}

/**
 * The moment is that of the last page view of the test period, whose scores offline code knows. Those of other users and items at that moment
 * are of a service that gives the same for that one.
 * @throws Error if it does not
 */
export async function referencesOf({ folder, shop, served, ranker, stream }: Shop): Promise<References> {
  const other = { name: 'other', features: 'sim-score+cluster-id' };
  const exported = await exportOf(shop, other);
  const dataset = await loadDataset(shop.dataset);
  const replayed = await replay(shop.dataset, dataset);
  const last = replayed.at(-1);
  if (last === undefined) throw new Error('the shop has no test period');
  const { time = 0, context, numeric } = last.request;
  const { users, items } = stream;
  const requests = Array.from({ length: others }, (_, view): ScoreRequest => {
    const first = (7 * view) % (items.length - last.rows.length);
    const candidates = items.slice(first, first + last.rows.length);
    return { user: users[view % users.length], candidates, time, context, numeric };
  });
  const all = [last.request, ...requests];
  const before = replayed.flatMap((each) => each.before);
  const exports = [];
  for (const each of [
    { folder: served, ranker, features },
    { folder: exported.served, ranker: exported.ranker, features: other.features },
  ]) {
    const feature = await offlineFeature(shop, dataset, each.features, each.ranker);
    const wanted = await offlineScores(dataset, feature, each.ranker, [last]);
    const state = join(folder, `reference-${other.name}-${exports.length}.mdb`);
    const service = await openService({ export: each.folder, state, clock });
    await service.record(before);
    const scores: Float32Array[] = [];
    for (const request of all) scores.push((await service.score(request)).scores);
    await service.close();
    if (!(largestDifference(scores[0]!, wanted) <= tolerance)) throw new Error('the reference is none');
    exports.push({ folder: each.folder, scores: [wanted, ...scores.slice(1)] });
  }
  closeDataset(dataset);
  return { before, requests: all, exports, stream: { ...stream, from: time + 60_000 } };
}
