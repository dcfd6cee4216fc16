/**
 * A server killed under load, the Redis that keeps its state killed, and its export swapped: whether an acknowledged event is lost or
 * counted twice, and whether any score that is answered meanwhile is not that of one of the two exports. A round is one of these.
 *
 * All scores are asked for at one moment, before that of every event that is sent: they do not depend on which of those are known by then,
 * so that each answer can be compared with offline code. What was made of the events is compared after each round.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../src/random.ts';
import { openService } from '../src/serving/service.ts';
import { hasRedis, startRedis } from '../test/support/redis.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';
import { AskedServer } from './serve-asked.ts';
import { writers } from './serve-kill-load.ts';
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
import { startServerProcess } from './serve-process.ts';
import { type References, referencesOf } from './serve-references.ts';

type Disturbance = 'the server killed' | 'Redis killed' | 'another export';

export const serveHttpKill: Benchmark = async ({ rounds, only, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  const redis = hasRedis ? await startRedis(folder) : null;
  try {
    const shop = await makeShop(folder);
    const references = await referencesOf(shop);
    const states = [
      ['LMDB', (name: number) => join(folder, `state-${name}.mdb`)],
      ...(redis === null ? [] : [['Redis', (name: number) => `${redis.url}?prefix=http${name}`] as const]),
    ] as const;
    const cases = states.flatMap(([store, state], place) =>
      (
        [
          'the server killed',
          'another export',
          ...(store === 'Redis' ? (['Redis killed'] as const) : []),
        ] as const
      ).map((disturbance, number) => ({
        name: `${store}, ${disturbance}`,
        disturbance,
        state: state(10 * place + number),
      })),
    );
    const rows: Row[] = [];
    for (const { name, disturbance, state } of cases) {
      if (!name.includes(only)) continue;
      const crash = async () => redis?.crash();
      const more = await disturbed(shop, references, { name, disturbance, state, rounds, crash, say });
      for (const row of more) say(describeRow(row));
      rows.push(...more);
    }
    return { rows, missing: redis === null ? ['redis-server'] : [] };
  } finally {
    await redis?.close();
    await rm(folder, { recursive: true, force: true });
  }
};

interface Case {
  readonly name: string;
  readonly disturbance: Disturbance;
  readonly state: string;
  readonly rounds: number;
  /** Kills Redis, and starts it again. */
  crash(): Promise<void>;
  say(text: string): void;
}

async function disturbed(
  shop: Shop,
  references: References,
  { name, disturbance, state, rounds, crash, say }: Case,
): Promise<readonly Row[]> {
  const { served, folder } = shop;
  const settings = { export: served, exports: folder, state, threads: 1, logLevel: 'warn' } as const;
  const server = await startServerProcess(folder, settings, null);
  const [random, acknowledged] = [Random.seeded(1, name), new Set<number>()];
  const outcomes: Outcome[] = [];
  await server.client.record([...references.before]);
  const asked = new AskedServer(server.client, references);
  try {
    for (let round = 0; round < rounds; round++) {
      const next = (round + 1) % references.exports.length;
      const disturb: Readonly<Record<Disturbance, () => Promise<void>>> = {
        'the server killed': () => server.crash(),
        'Redis killed': crash,
        'another export': () => asked.open(next),
      };
      const after = sentAgain + random.integer(eventsBetween);
      let [heard, disturbing, isOver] = [0, Promise.resolve(), false];
      await writers(asked, references.stream, nextFirst(acknowledged), async (number) => {
        acknowledged.add(number);
        heard += 1;
        if (heard === after)
          disturbing = disturb[disturbance]().finally(() => {
            isOver = true;
            heard = after;
          });
        return !isOver || heard < after + eventsBetween;
      });
      await disturbing;
      const replica = await openService({ export: served, state, clock });
      const outcome = await outcomeOf(
        { ...shop, stream: references.stream },
        ...([state, replica, acknowledged, references.before] as const),
      );
      await replica.close();
      outcomes.push(outcome);
      say(`  ${name}: ${JSON.stringify({ ...outcome, ...asked.counts })}`);
    }
  } finally {
    await server.close();
  }
  const { answered, wrong, refused, largest } = asked.counts;
  const of = `in ${rounds} rounds`;
  return [
    ...rowsOf(name, outcomes),
    rowOf(`${name}: scores answered under load`, of, 'higher', [answered], {}),
    rowOf(`${name}: of them of neither export`, of, 'lower', [wrong], {}),
    rowOf(`${name}: largest difference from offline scores`, of, 'lower', [largest], {}),
    rowOf(`${name}: score requests without an answer`, of, 'lower', [refused], {}),
  ];
}
