/**
 * A service, and the Redis that keeps its state, killed under load at random moments: whether an acknowledged event is lost or counted
 * twice, and whether scores afterwards are those of a service that was told the same events and never disturbed. A round is a kill.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../src/random.ts';
import { openService } from '../src/serving/service.ts';
import { linesUntilKilled } from '../test/support/killed-program.ts';
import { hasRedis, startRedis } from '../test/support/redis.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row } from './report.ts';
import { type Load, told, writers } from './serve-kill-load.ts';
import {
  clock,
  eventsBetween,
  makeShop,
  nextFirst,
  type Outcome,
  outcomeOf,
  rowsOf,
  type Shop,
  sentAgain,
} from './serve-outcome.ts';

const program = fileURLToPath(new URL('serve-kill-program.ts', import.meta.url));
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

/** The process of the service: another one goes on after each kill. */
async function* serviceKilled(shop: Shop, state: string, rounds: number, random: Random) {
  const acknowledged = new Set<number>();
  for (let round = 0; round < rounds; round++) {
    const first = nextFirst(acknowledged);
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
  const lines = await linesUntilKilled(program, [job], after);
  return lines.slice(1).map(Number);
}

/** Redis: the service goes on, and is looked at once it has written again. */
function redisKilled(crash: () => Promise<void>): Kill {
  return async function* (shop, state, rounds, random) {
    const service = await openService({ export: shop.served, state, clock, refresh: 20 });
    const acknowledged = new Set<number>();
    for (let round = 0; round < rounds; round++) {
      const first = nextFirst(acknowledged);
      const after = sentAgain + random.integer(eventsBetween);
      let [heard, killing] = [0, Promise.resolve()];
      await writers(told(service, shop.stream), shop.stream, first, async (number) => {
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
