/**
 * A service, and the Redis that keeps its state, killed under load at random moments: whether an acknowledged event is lost or counted
 * twice, and whether scores afterwards are those of a service that was told the same events and never disturbed. A round is a kill.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeDataset, loadDataset } from '../src/data/store.ts';
import { Random } from '../src/random.ts';
import { eventsLimit } from '../src/serving/limits.ts';
import { openStateStore } from '../src/serving/open-store.ts';
import type { ScoreRequest, Service } from '../src/serving/requests.ts';
import { openService } from '../src/serving/service.ts';
import { type EventStream, eventAt } from '../test/support/event-stream.ts';
import { hasRedis, startRedis } from '../test/support/redis.ts';
import { exportOf, largestDifference, servedShop } from '../test/support/served-shop.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';
import { type Load, writers } from './serve-kill-load.ts';

const program = fileURLToPath(new URL('serve-kill-program.ts', import.meta.url));
const size = { items: 200, shoppers: 40, pageViews: 1500 };

/** Events before the last acknowledged one that are sent again: more than can be under way at a time. */
const sentAgain = 50;

/** New events from one kill to the next at most, and those after a kill of Redis. */
const eventsBetween = 200;

/** Page views that are scored after each kill. */
const checkedViews = 25;

/** What is known after a kill. */
interface Outcome {
  readonly acknowledged: number;
  readonly lost: number;
  readonly twice: number;
  readonly differingFeatures: number;
  readonly largestDifference: number;
}

interface Shop {
  readonly folder: string;
  readonly served: string;
  readonly stream: EventStream;
}

type Kill = (shop: Shop, state: string, rounds: number, random: Random) => AsyncGenerator<Outcome>;

export const serveKill: Benchmark = async ({ rounds, only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const redis = hasRedis ? await startRedis(folder) : null;
  try {
    const shop = await makeShop(folder);
    const crash = async () => redis?.crash();
    const cases: readonly (readonly [string, string | null, Kill])[] = [
      ['LMDB, service killed', join(folder, 'state.mdb'), serviceKilled],
      ['Redis, service killed', redis === null ? null : `${redis.url}?prefix=service`, serviceKilled],
      ['Redis, Redis killed', redis === null ? null : `${redis.url}?prefix=redis`, redisKilled(crash)],
    ];
    const rows: Row[] = [];
    for (const [name, state, kill] of cases) {
      if (state === null || !name.includes(only)) continue;
      const outcomes: Outcome[] = [];
      for await (const outcome of kill(shop, state, rounds, Random.seeded(1, name))) {
        say(`  ${name}: ${JSON.stringify(outcome)}`);
        outcomes.push(outcome);
      }
      for (const row of rowsOf(name, outcomes)) {
        rows.push(row);
        say(describeRow(row));
      }
    }
    return { rows, missing: redis === null ? ['redis-server'] : [] };
  } finally {
    await redis?.close();
    await rm(folder, { recursive: true, force: true });
  }
};

async function makeShop(folder: string): Promise<Shop> {
  const shop = await servedShop(folder, size);
  const { served } = await exportOf(shop, { name: 'kill', features: 'sim-score+semantic-id' });
  const dataset = await loadDataset(shop.dataset);
  closeDataset(dataset);
  const { users, catalogue, splitTimes } = dataset;
  return { folder, served, stream: { users, items: catalogue.ids, from: splitTimes.testFrom } };
}

/** The process of the service: another one goes on after each kill. */
async function* serviceKilled(shop: Shop, state: string, rounds: number, random: Random) {
  const acknowledged = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const first = Math.max(0, Math.max(-1, ...acknowledged) - sentAgain);
    const heard = await killed({ ...shop, state, first }, sentAgain + random.integer(eventsBetween));
    for (const number of heard) acknowledged.add(number);
    const recovered = await openService({ export: shop.served, state, clock });
    yield await outcomeOf(shop, state, recovered, acknowledged);
    await recovered.close();
  }
}

/** @param after so many acknowledged events @returns numbers of those that were acknowledged before it was killed */
async function killed({ served, state, stream, first }: Load, after: number): Promise<readonly number[]> {
  const job = JSON.stringify({ served, state, stream, first } satisfies Load);
  const words = ['--import', import.meta.resolve('tsx'), program, job];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, problem, heard] = ['', '', 0];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    problem += chunk;
  });
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    heard += chunk.split('\n').length - 1;
    if (heard > after) child.kill('SIGKILL');
  });
  await once(child, 'close');
  if (problem !== '') throw new Error(`the service ended with ${problem}`);
  // The last line may be cut off.
  return text.split('\n').slice(1, -1).map(Number);
}

/** Redis: the service goes on, and is looked at once it has written again. */
function redisKilled(crash: () => Promise<void>): Kill {
  return async function* (shop, state, rounds, random) {
    const service = await openService({ export: shop.served, state, clock, refresh: 20 });
    const acknowledged = new Set<number>();
    for (let round = 0; round < rounds; round++) {
      const first = Math.max(0, Math.max(-1, ...acknowledged) - sentAgain);
      const after = sentAgain + random.integer(eventsBetween);
      let [heard, killing] = [0, Promise.resolve()];
      await writers(service, shop.stream, first, async (number) => {
        acknowledged.add(number);
        if (++heard === after) killing = crash();
        return heard < after + eventsBetween;
      });
      await killing;
      // What was read last may have been read while Redis was away.
      do await service.record([]);
      while (service.statistics().state.problem !== null);
      yield await outcomeOf(shop, state, service, acknowledged);
    }
    await service.close();
  };
}

const clock = () => Number.MAX_SAFE_INTEGER;

async function outcomeOf(
  { folder, served, stream }: Shop,
  state: string,
  recovered: Service,
  acknowledged: ReadonlySet<number>,
): Promise<Outcome> {
  const store = await openStateStore(state);
  const kept = (await store.read(0, Number.MAX_SAFE_INTEGER)).map(({ id }) => Number(id.split(' ')[1]));
  await store.close();
  const undisturbedState = join(folder, `undisturbed-${Date.now()}.mdb`);
  const undisturbed = await openService({ export: served, state: undisturbedState, clock });
  const events = kept.map((number) => eventAt(stream, number));
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

function rowsOf(name: string, outcomes: readonly Outcome[]): readonly Row[] {
  const of = `after ${outcomes.length} kills`;
  const most = (figure: keyof Outcome) => [Math.max(...outcomes.map((outcome) => outcome[figure]))];
  return [
    rowOf(`${name}: acknowledged events`, of, 'higher', most('acknowledged'), {}),
    rowOf(`${name}: of them lost`, of, 'lower', most('lost'), {}),
    rowOf(`${name}: events kept twice`, of, 'lower', most('twice'), {}),
    rowOf(`${name}: base features that differ`, of, 'lower', most('differingFeatures'), {}),
    rowOf(`${name}: largest difference of a score`, of, 'lower', most('largestDifference'), {}),
  ];
}
