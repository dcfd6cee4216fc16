import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOf, type ServedShop, servedShop } from '../../test/support/served-shop.ts';
import { closeDataset, loadDataset } from '../data/store.ts';
import { loadRanker } from '../rankers/load.ts';
import { readSafeTensors, writeSafeTensors } from '../storage/safetensors.ts';
import type { ShopEvent } from './events.ts';
import { OverloadedError } from './score-queue.ts';
import { openService, type ServiceOptions } from './service.ts';

describe('requests to a service', () => {
  let folder: string;
  let shop: ServedShop;
  let served: string;
  let items: readonly string[];
  let users: readonly string[];
  /** The first moment after what the export knows. */
  let until: number;
  let states = 0;
  const open = (options: Partial<ServiceOptions> = {}) =>
    openService({ export: served, state: join(folder, `state-${states++}.mdb`), window: 0, ...options });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    shop = await servedShop(folder);
    ({ served } = await exportOf(shop, { name: 'requests', features: 'sim-tier+cluster-id' }));
    const dataset = await loadDataset(shop.dataset);
    closeDataset(dataset);
    items = dataset.catalogue.ids;
    users = dataset.users;
    until = dataset.splitTimes.testFrom;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('side by side are a few runs of the model, with the scores that each has alone', async () => {
    const service = await open({ window: 20 });
    const requests = Array.from({ length: 30 }, (_, number) => ({
      user: users[number % users.length]!,
      candidates: Array.from({ length: 1 + (number % 5) }, (_, place) => items[(7 * number + place) % 60]!),
      time: until,
    }));
    const together = await Promise.all(requests.map((request) => service.score(request)));
    const { batches, batchedRows, requests: answered } = service.statistics().totals;
    expect(batches).toBeLessThan(6);
    expect([batchedRows, answered]).toEqual([
      requests.reduce((sum, { candidates }) => sum + candidates.length, 0),
      30,
    ]);
    for (const [number, request] of requests.entries()) {
      const alone = await service.score(request);
      for (const [place, score] of alone.scores.entries())
        expect(together[number]!.scores[place]).toBeCloseTo(score, 6);
    }
    await service.close();
  });

  it('are shed with a time to come back when there are too many, and late ones told so; then all is well', async () => {
    const service = await open({ window: 0, batchRows: 50, queueRows: 200 });
    const candidates = items.slice(0, 50);
    const flood = Array.from({ length: 60 }, () => service.score({ candidates }));
    const settled = await Promise.allSettled(flood);
    const shed = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(shed.length).toBeGreaterThan(40);
    for (const error of shed) {
      expect(error).toBeInstanceOf(OverloadedError);
      expect(error.retryAfter).toBeGreaterThan(0);
    }
    expect(service.statistics()).toMatchObject({ queuedRows: 0, totals: { overloaded: shed.length } });
    await expect(service.score({ candidates, within: 0 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    expect((await service.score({ candidates, within: 60_000 })).scores).toHaveLength(50);
    await service.close();
  });

  it('that cannot be answered are refused in words that name what is wrong', async () => {
    const service = await open();
    const candidates = items.slice(0, 2);
    const refused = (request: unknown, words: RegExp) =>
      expect(service.score(Object.assign({ candidates }, request))).rejects.toMatchObject({
        code: 'VALUE_INVALID',
        message: expect.stringMatching(words),
      });
    await refused({ candidates: [] }, /candidates/);
    await refused({ context: { wether: 'sunny' } }, /context\.wether/);
    await refused({ numeric: { price: [1] } }, /numeric\.price has 1 values for 2/);
    await refused({ numeric: { price: [1, Number.POSITIVE_INFINITY] } }, /numeric\.price\.1/);
    await refused({ numeric: { price: '12' } }, /numeric\.price/);
    await refused({ time: Date.now() + 86_400_000 }, /not come yet/);
    await refused({ histroy: [] }, /histroy/);
    await refused({ attention: true }, /attention\.onnx/);
    await expect(service.similar({ embedding: new Float32Array(8) })).rejects.toMatchObject({
      code: 'VALUE_INVALID',
    });
    await service.close();
    await expect(service.score({ candidates })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  it('count an event once for its id, and one of before the export not again', async () => {
    const service = await open();
    const [user = '', item = ''] = [users[0], items[0]];
    const event = (id: string, time: number): ShopEvent => ({ id, kind: 'click', user, item, time });
    const ask = async () => {
      const { names, base } = await service.features({ user, candidates: [item], time: until + 1000 });
      return Math.round(Math.expm1(base[names.indexOf('item_clicks_log')]!));
    };
    const fresh = await open();
    const clicks = Math.round(
      Math.expm1(
        await fresh
          .features({ user, candidates: [item], time: until + 1000 })
          .then(({ names, base }) => base[names.indexOf('item_clicks_log')]!),
      ),
    );
    await fresh.close();
    expect(await service.record([event('a', until), event('a', until), event('old', until - 1)])).toEqual({
      recorded: 2,
      known: 1,
      covered: 1,
    });
    expect(await service.record([event('a', until)])).toEqual({ recorded: 0, known: 1, covered: 0 });
    expect(await ask()).toBe(clicks + 1);
    await expect(service.record([event('', until)])).rejects.toMatchObject({ code: 'VALUE_INVALID' });
    await service.close();
  });

  it('are answered without a gap while exports are swapped, and a damaged one changes nothing', async () => {
    const service = await open();
    const other = await exportOf(shop, { name: 'swapped', features: 'none' });
    const damaged = join(folder, 'damaged');
    await cp(served, damaged, { recursive: true });
    const recorded = join(damaged, 'recorded.json');
    const wrong = (await readFile(recorded, 'utf8')).replace(/"scores":\[0\.\d/, '"scores":[0.9');
    await rewrite(damaged, 'recorded.json', wrong);
    let isOver = false;
    const failures: unknown[] = [];
    const asking = Array.from({ length: 3 }, async () => {
      for (let number = 0; !isOver; number++)
        await service
          .score({ candidates: items.slice(0, 10), user: users[number % users.length]! })
          .catch((error: unknown) => failures.push(error));
    });
    const before = (await service.score({ candidates: items.slice(0, 10), time: until })).scores;
    await expect(service.swap(damaged)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    expect(service.statistics().export.folder).toBe(served);
    await Promise.all([service.swap(other.served), service.swap(served)]);
    isOver = true;
    await Promise.all(asking);
    expect(failures).toEqual([]);
    expect(service.statistics().totals.swaps).toBe(2);
    const after = (await service.score({ candidates: items.slice(0, 10), time: until })).scores;
    // Moments have passed in between, which counters forget a little of.
    expect(after[0]).toBeCloseTo(before[0]!, 1);
    await service.close();
  });

  it('are not answered from an export that was altered anywhere, or holds what cannot be', async () => {
    const manifest = JSON.parse(await readFile(join(served, 'serving.json'), 'utf8'));
    for (const name of Object.keys(manifest.files)) {
      const copy = join(folder, `altered-${name}`);
      await cp(served, copy, { recursive: true });
      const bytes = await readFile(join(copy, name));
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(join(copy, name), bytes);
      await expect(open({ export: copy })).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
    }
    // With fitting hashes, as somebody would make it who means harm.
    const hostile = join(folder, 'hostile');
    await cp(served, hostile, { recursive: true });
    const path = join(hostile, 'histories.safetensors');
    const { metadata, tensors } = await readSafeTensors(path, 'Histories');
    const item = tensors.get('item')!;
    const beyond = { ...item, data: Int32Array.from(item.data as Int32Array, () => 2 ** 30) };
    const { sha256: _, ...rest } = metadata;
    await writeSafeTensors(path, { metadata: rest, tensors: new Map(tensors).set('item', beyond) });
    await rewrite(hostile, 'histories.safetensors', await readFile(path));
    await expect(open({ export: hostile })).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringContaining('items that there are not'),
    });
  });

  it('about items that nobody knows are scored by the hash of their ids, where a ranker has rows for all', async () => {
    const ranker = { idBuckets: 50 };
    const hashed = await exportOf(shop, { name: 'hashed', ranker, features: 'none' });
    const service = await open({ export: hashed.served });
    const [candidates, history] = [['nobody', 'knows', 'these'], ['nor that']];
    const { scores, known } = await service.score({ candidates, history, time: until });
    const { names, base } = await service.features({ candidates, history, time: until });
    const loaded = await loadRanker(hashed.ranker);
    const categories = Object.fromEntries(loaded.about.layout.categories.map((name) => [name, null]));
    const exposures = candidates.map((id, row) => ({
      user: 'nobody in particular',
      context: Object.fromEntries(loaded.about.layout.context.map((name) => [name, null])),
      candidate: { id, categories },
      history: [{ id: 'nor that', categories }],
      numeric: Object.fromEntries(names.map((name, column) => [name, base[row * names.length + column]!])),
      visual: [],
    }));
    const asked = await service.score({ candidates, history, time: until, user: 'nobody in particular' });
    const wanted = await loaded.score(exposures);
    for (const [row, score] of wanted.entries()) expect(asked.scores[row]).toBeCloseTo(score, 6);
    expect(new Set(wanted).size).toBe(3);
    expect([known.reduce((sum, each) => sum + each, 0), scores.length]).toEqual([0, 3]);
    await loaded.release();
    await service.close();
  });

  it('leave behind what they were like, beside what the validation period was like', async () => {
    const service = await open();
    for (const user of users) await service.score({ user, candidates: [...items, 'new'], time: until });
    const { drift } = service.statistics();
    const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
    expect(total(drift.scores.live.counts)).toBe(users.length * 61);
    expect(drift.scores.stabilityIndex).toBeGreaterThanOrEqual(0);
    expect(drift.unknown.live).toBeGreaterThan(0);
    expect(total(drift.simScores?.live.counts ?? [])).toBeGreaterThan(0);
    const { scores, calibrated } = await service.score({ candidates: items, time: until });
    const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
    for (const [place, index] of order.entries())
      if (place > 0) expect(calibrated[index]).toBeGreaterThanOrEqual(calibrated[order[place - 1]!]!);
    await service.close();
  });
});

/** Puts a file into an export, with the hash that its manifest has to have. */
async function rewrite(folder: string, name: string, content: string | Buffer): Promise<void> {
  await writeFile(join(folder, name), content);
  const path = join(folder, 'serving.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  const bytes = Buffer.from(content);
  manifest.files[name] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  await writeFile(path, JSON.stringify(manifest));
}
