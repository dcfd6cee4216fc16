/** What is known of a state after something was killed under load, beside a service that was told the same and never disturbed. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { closeDataset, loadDataset } from '../src/data/store.ts';
import type { ShopEvent } from '../src/serving/events.ts';
import { eventsLimit } from '../src/serving/limits.ts';
import { openStateStore } from '../src/serving/open-store.ts';
import type { ScoreRequest, Service } from '../src/serving/requests.ts';
import { openService } from '../src/serving/service.ts';
import { type EventStream, eventAt } from '../test/support/event-stream.ts';
import { exportOf, largestDifference, type ServedShop, servedShop } from '../test/support/served-shop.ts';
import { type Row, rowOf } from './report.ts';

const size = { items: 200, shoppers: 40, pageViews: 1500 };

/** Events before the last acknowledged one that are sent again: more than can be under way at a time. */
export const sentAgain = 50;

/** New events from one kill to the next at most, and those after a kill of what goes on. */
export const eventsBetween = 200;

/** Page views that are scored after each kill. */
const checkedViews = 25;

/** What is known after a kill. */
export interface Outcome {
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  readonly differingFeatures: number;
  readonly largestDifference: number;
}

export interface Shop {
  readonly folder: string;
  readonly shop: ServedShop;
  readonly served: string;
  /** Folder of the ranker that was exported. */
  readonly ranker: string;
  readonly stream: EventStream;
}

/** The visual features of the ranker. */
export const features = 'sim-score+semantic-id';

export async function makeShop(folder: string): Promise<Shop> {
  const shop = await servedShop(folder, size);
  const { served, ranker } = await exportOf(shop, { name: 'kill', features });
  const dataset = await loadDataset(shop.dataset);
  closeDataset(dataset);
  const { users, catalogue, splitTimes } = dataset;
  const stream = { users, items: catalogue.ids, from: splitTimes.testFrom };
  return { folder, shop, served, ranker, stream };
}

/** The number of an event of the stream by its id, or by its id in the log; null for another event. */
function numberOf(id: string): number | null {
  const [, number] = /^event:event (\d+)$/.exec(id) ?? [];
  return number === undefined ? null : Number(number);
}

/** The first event that is sent next. */
export function nextFirst(acknowledged: ReadonlySet<number>): number {
  return Math.max(0, Math.max(-1, ...acknowledged) - sentAgain);
}

export const clock = () => Number.MAX_SAFE_INTEGER;

/** @param before events that the state was told before those of the stream */
export async function outcomeOf(
  { folder, served, stream }: Shop,
  state: string,
  recovered: Service,
  acknowledged: ReadonlySet<number>,
  before: readonly ShopEvent[] = [],
): Promise<Outcome> {
  const store = await openStateStore(state);
  const kept = (await store.read(0, Number.MAX_SAFE_INTEGER)).flatMap(({ id }) => numberOf(id) ?? []);
  await store.close();
  const undisturbedState = join(folder, `undisturbed-${Date.now()}.mdb`);
  const undisturbed = await openService({ export: served, state: undisturbedState, clock });
  const events = [...before, ...kept.map((number) => eventAt(stream, number))];
  for (let first = 0; first < events.length; first += eventsLimit)
    await undisturbed.record(events.slice(first, first + eventsLimit));
  const time = stream.from + 60_000 * (Math.max(...kept) + 1);
  let [differingFeatures, largest] = [0, 0];
  for (let view = 0; view < checkedViews; view++) {
    const request: ScoreRequest = {
      user: stream.users[view % stream.users.length],
      candidates: stream.items.slice(5 * view, 5 * view + 20),
      time,
    };
    const [one, other] = [await recovered.features(request), await undisturbed.features(request)];
    differingFeatures += one.base.filter((value, place) => !Object.is(value, other.base[place])).length;
    const [found, wanted] = [await recovered.score(request), await undisturbed.score(request)];
    largest = Math.max(largest, largestDifference(found.scores, wanted.scores));
  }
  await undisturbed.close();
  await rm(undisturbedState, { force: true });
  const all = new Set(kept);
  return {
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((number) => !all.has(number)).length,
    twice: kept.length - all.size,
    differingFeatures,
    largestDifference: largest,
  };
}

export function rowsOf(name: string, outcomes: readonly Outcome[]): readonly Row[] {
  const of = `after ${outcomes.length} rounds`;
  const most = (figure: keyof Outcome) => [Math.max(...outcomes.map((outcome) => outcome[figure]))];
  return [
    rowOf(`${name}: acknowledged events`, of, 'higher', most('acknowledged'), {}),
    rowOf(`${name}: of them lost`, of, 'lower', most('lost'), {}),
    rowOf(`${name}: events kept twice`, of, 'lower', most('twice'), {}),
    rowOf(`${name}: base features that differ`, of, 'lower', most('differingFeatures'), {}),
    rowOf(`${name}: largest difference of a score`, of, 'lower', most('largestDifference'), {}),
  ];
}
