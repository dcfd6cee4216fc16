/**
 * What a swap to a large export costs those who ask meanwhile: how long it takes to open, the longest that an answer took, and the longest
 * that the thread which answers was held up.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Counters } from '../src/data/counters/counters.ts';
import { Random } from '../src/random.ts';
import { readManifest, servingFiles, writeManifest } from '../src/serving/format.ts';
import { readRecorded, writeRecorded } from '../src/serving/recorded.ts';
import { openService } from '../src/serving/service.ts';
import {
  readArrays,
  readHistories,
  readItems,
  readUsers,
  readVectors,
  writeArrays,
  writeHistories,
  writeItems,
  writeUsers,
  writeVectors,
} from '../src/serving/stored-state.ts';
import { exportOf, servedShop } from '../test/support/served-shop.ts';
import type { Benchmark } from './benchmark.ts';
import { type Row, rowOf } from './report.ts';

/** What there is beside the shop of the tests; each user has as many clicks, and was shown as many items besides. */
const more = { users: 1_000_000, items: 100_000, clicks: 3 };

export const serveSwap: Benchmark = async ({ rounds, say }) => {
  const folder = await mkdtemp(join(tmpdir(), 'courier-bench-'));
  try {
    const shop = await servedShop(folder);
    const { served } = await exportOf(shop, { name: 'swap', features: 'sim-score' });
    const large = join(folder, 'large');
    await enlarge(served, large);
    say('the large export is written');
    const times = { swap: [] as number[], answer: [] as number[], held: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const service = await openService({ export: served, state: join(folder, `${round}.mdb`), window: 0 });
      const delay = monitorEventLoopDelay({ resolution: 1 });
      let [isOver, longest] = [false, 0];
      const ask = async () => {
        while (!isOver) {
          const start = performance.now();
          await service.score({ candidates: ['i00001', 'i00002'] });
          longest = Math.max(longest, performance.now() - start);
          await sleep(1);
        }
      };
      const asked = ask();
      await sleep(200);
      delay.enable();
      longest = 0;
      const start = performance.now();
      await service.swap(large);
      times.swap.push((performance.now() - start) / 1000);
      delay.disable();
      isOver = true;
      await asked;
      times.answer.push(longest / 1000);
      times.held.push(delay.max / 1e9);
      await service.close();
      say(`  round ${round + 1}: ${times.swap.at(-1)} s, ${times.answer.at(-1)} s, ${times.held.at(-1)} s`);
    }
    const name = `${more.users.toLocaleString('en-US')} users, ${more.items.toLocaleString('en-US')} items`;
    const rows: Row[] = [
      rowOf(`${name}: swap`, 's', 'lower', times.swap, {}),
      rowOf(`${name}: longest answer meanwhile`, 's', 'lower', times.answer, {}),
      rowOf(`${name}: longest that the thread was held up`, 's', 'lower', times.held, {}),
    ];
    return { rows, missing: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The same export with many more users and items, who have done something. */
async function enlarge(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  const random = Random.seeded(1, 'large export');
  const manifest = await readManifest(from);
  const { format: _, version: __, files, until, ...about } = manifest;
  const known = await readItems(from, manifest);
  const added = Array.from({ length: more.items }, (_, item) => `new item ${item}`);
  const categories = known.categories.map(({ name, values, codes }) => {
    const own = Int32Array.from(added, () => random.integer(values.length));
    return { name, values, codes: Int32Array.from([...codes, ...own]) };
  });
  await writeItems(to, {
    ids: [...known.ids, ...added],
    categories,
    numeric: known.numeric.map(({ name, values }) => {
      return { name, values: Float64Array.from([...values, ...added.map(() => random.integer(100))]) };
    }),
    pictures: [...known.pictures, ...added.map(() => null)],
  });
  const users = await readUsers(from, manifest);
  const people = Array.from({ length: more.users }, (_, user) => `new user ${user}`);
  await writeUsers(to, [...users, ...people]);
  const dimension = manifest.embeddings?.dimension ?? 0;
  const vectors = new Float32Array((known.ids.length + more.items) * dimension);
  vectors.set(await readVectors(from, known.ids.length, dimension));
  for (let item = known.ids.length; item < known.ids.length + more.items; item++) {
    const values = Array.from({ length: dimension }, () => random.normal());
    vectors.set(
      values.map((value) => value / Math.hypot(...values)),
      item * dimension,
    );
  }
  await writeVectors(to, vectors, dimension);
  const counters = new Counters({ categories, ...manifest.counters });
  await counters.restore(await readArrays(join(from, servingFiles.counters), 'Counters'));
  const histories = await readHistories(from, manifest);
  const clicks = more.users * more.clicks;
  const [start, item, time] = [
    new Int32Array(users.length + more.users + 1),
    new Int32Array(histories.item.length + clicks),
    new Float64Array(histories.item.length + clicks),
  ];
  start.set(histories.start);
  item.set(histories.item);
  time.set(histories.time);
  for (let user = users.length, at = histories.item.length; user < users.length + more.users; user++) {
    for (let click = 0; click < more.clicks; click++, at++) {
      item[at] = known.ids.length + random.integer(more.items);
      time[at] = until - 1_000_000 + click;
      counters.observe({ kind: 'click', user, item: item[at]!, time: time[at]! });
      const shown = known.ids.length + random.integer(more.items);
      counters.observe({ kind: 'exposure', user, item: shown, time: time[at]! });
    }
    start[user + 1] = at;
    // What waits is counted now and then.
    if (user % 10_000 === 0) counters.describe(0, 0, until);
  }
  await writeHistories(to, { start, item, time });
  counters.describe(0, 0, until);
  await writeArrays(join(to, servingFiles.counters), counters.state());
  const { views, counted } = await readRecorded(from);
  const pairs = counted.map(({ user, item: candidate }) => {
    const values = counters.describe(known.ids.indexOf(candidate), users.indexOf(user), until);
    return { user, item: candidate, values: Array.from(values) };
  });
  await writeRecorded(to, { views, counted: pairs });
  const [items, persons] = [known.ids.length + more.items, users.length + more.users];
  await writeManifest(to, Object.keys(files), { ...about, until, items, users: persons });
}
