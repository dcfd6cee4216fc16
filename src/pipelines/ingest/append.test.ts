import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { comparable } from '../../../test/support/numbers.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { csv, writeTinyTable } from '../../../test/support/tiny-shop.ts';
import { Counters } from '../../data/counters/counters.ts';
import { NONE } from '../../data/dataset.ts';
import { LongHistories } from '../../data/long-history.ts';
import { loadDataset, loadLoggedTables } from '../../data/store.ts';
import type { IngestConfigInput } from './config.ts';
import { ingest } from './index.ts';

const hour = 3_600_000;

/** A log of some days, a file a day and all in one: page views by number, late clicks, prices that are missing, items to come. */
async function someDays(count: number) {
  const folder = await temporaryFolder();
  const { catalogue, images } = await writeTinyTable(folder);
  const header = ['user', 'item', 'shown', 'clicked', 'click_time', 'view', 'price', 'device'];
  const days = Array.from({ length: count }, (_, day) => {
    const rows: (string | number)[][] = [];
    for (let view = 0; view < 6; view++) {
      const time = Date.UTC(2024, 0, 1 + day) + 3 * view * hour;
      for (let place = 0; place < 3; place++) {
        // Later days show items, users and devices that earlier ones did not.
        const item = (7 * view + place * 2 + day) % (6 + day);
        const isClicked = (view + place) % 3 === 0;
        const price = item === 3 ? '' : 10 + item;
        rows.push([
          `user${(view * day) % 5}`,
          item < 13 ? `item${item}` : `new${item}`,
          time + place,
          isClicked ? 1 : 0,
          isClicked ? time + 20 * hour : '',
          view,
          price,
          view < day ? 'phone' : 'web',
        ]);
      }
    }
    return rows;
  });
  const paths = days.map((_, day) => join(folder, `day-${day}.csv`));
  for (const [day, rows] of days.entries()) await writeFile(paths[day]!, csv([header, ...rows]));
  const all = join(folder, 'all.csv');
  await writeFile(all, csv([header, ...days.flat()]));
  const columns = {
    user: 'user',
    item: 'item',
    time: 'shown',
    clicked: 'clicked',
    clickedAt: 'click_time',
    pageView: 'view',
    numeric: ['price'],
    context: ['device'],
  };
  const config = (path: string, out: string, append: boolean): IngestConfigInput => ({
    source: 'table',
    log: { path, ...columns },
    catalogue,
    images,
    minimumJoin: 0,
    side: 8,
    out: join(folder, out),
    append,
  });
  return { folder, paths, all, config };
}

async function contentOf(folder: string) {
  const { images, name, hash, report, ...tables } = await loadDataset(folder);
  const pixels = images.read(Array.from({ length: images.count }, (_, row) => row));
  images.close();
  return { hash, counts: report.counts, candidates: report.candidates, tables: comparable(tables), pixels };
}

async function reportOf(folder: string) {
  const { images, report } = await loadDataset(folder);
  images.close();
  return report;
}

describe('days appended one by one', () => {
  it('give the tables of all at once, and leave what was written as it is', async () => {
    const { paths, all, config } = await someDays(30);
    const { folder: whole } = await ingest(config(all, 'whole', false));
    const written = new Map<string, number>();
    for (const path of paths) {
      const { folder } = await ingest(config(path, 'daily', true));
      for (const [name, inode] of written) expect((await stat(join(folder, name))).ino).toBe(inode);
      const part = `exposures-${`${written.size}`.padStart(5, '0')}.parquet`;
      written.set(part, (await stat(join(folder, part))).ino);
    }
    const { hash, ...expected } = await contentOf(whole);
    const { hash: other, ...daily } = await contentOf(config(all, 'daily', true).out);
    expect(daily).toEqual(expected);
    // Items are told of once, however often the catalogue is read.
    const found = async (out: string) =>
      (await reportOf(out)).findings.filter(({ what }) => /photo|catalogue/i.test(what));
    expect(await found(config(all, 'daily', true).out)).toEqual(await found(whole));
    expect(await found(whole)).not.toEqual([]);
    expect(other).not.toBe(hash);
  });

  it('know long histories as they would be kept: late clicks from their own time on, whatever is kept with page views', async () => {
    const { paths, all, config } = await someDays(10);
    const kept = async (path: string, out: string, append: boolean, historyLength: number) => {
      const { folder } = await ingest({ ...config(path, out, append), historyLength });
      const { images, ...dataset } = await loadDataset(folder);
      images.close();
      return dataset;
    };
    const { pageViews } = await kept(all, 'long', false, 40);
    for (const path of paths) await kept(path, 'short', true, 2);
    const histories = new LongHistories(await kept(paths.at(-1)!, 'short', true, 2));
    let longest = 0;
    for (let view = 0; view < pageViews.user.length; view++) {
      const own = pageViews.history.subarray(40 * view, 40 * (view + 1)).filter((item) => item !== NONE);
      // Clicks of one time lie in the order of the dataset, which is not always that of the log.
      expect(histories.before(view).toSorted()).toEqual(own.toSorted());
      longest = Math.max(longest, own.length);
    }
    expect(longest).toBeGreaterThan(5);
  });

  it('hold what the counters tell when their exposures and late clicks are played to them again, to the last bit', async () => {
    const { paths, config } = await someDays(10);
    for (const path of paths) await ingest(config(path, 'daily', true));
    const { out } = config('', 'daily', true);
    const { tables } = await contentOf(out);
    const { pageViews, exposures } = await loadLoggedTables(out);
    const { item, clicked, logged } = exposures;
    const { categories } = tables.catalogue;
    const counters = new Counters({ categories, withExposures: true, lag: 0, period: 1 });
    const { names, numbers } = tables.exposures;
    let told = 0;
    for (const [view, user] of pageViews.user.entries()) {
      for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
        const known = counters.describe(item[row]!, user, pageViews.time[view]!);
        const from = row * names.length;
        expect(numbers.subarray(from, from + known.length)).toEqual(Float32Array.from(known));
        told++;
      }
      for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
        const event = { user, item: item[row]! };
        counters.observe({ ...event, kind: 'exposure', time: logged!.time[row]! });
        if (clicked[row] === 1) counters.observe({ ...event, kind: 'click', time: logged!.clickedAt[row]! });
      }
    }
    expect(told).toBe(180);
  });

  it('are known when they are given again, and nothing is done', async () => {
    const { paths, config } = await someDays(10);
    for (const day of [0, 1, 2, 3]) await ingest(config(paths[day]!, 'daily', true));
    const out = config(paths[0]!, 'daily', true).out;
    const before = await readFile(join(out, 'dataset.json'));
    await ingest(config(paths[2]!, 'daily', true));
    expect(await readFile(join(out, 'dataset.json'))).toEqual(before);
  });

  it('are refused where they begin before the end of what is there, where settings differ, or candidates were drawn', async () => {
    const { folder, paths, config } = await someDays(10);
    for (const day of [2, 3]) await ingest(config(paths[day]!, 'daily', true));
    await expect(ingest(config(paths[1]!, 'daily', true))).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringContaining('begins at 2024-01-02 00:00:00, before the last page view'),
    });
    await expect(ingest({ ...config(paths[4]!, 'daily', true), historyLength: 3 })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
      message: expect.stringContaining('other settings: historyLength'),
    });
    const rows = Array.from({ length: 200 }, (_, row) => [
      `u${row % 9}`,
      `i${row % 40}`,
      1_700_000_000 + row * 9000,
    ]);
    const drawn = async (name: string, from: number) => {
      await mkdir(join(folder, 'bought'), { recursive: true });
      const path = join(folder, 'bought', name);
      await writeFile(path, csv([['user', 'item', 'time'], ...rows.slice(from)]));
      const log = { path, user: 'user', item: 'item', time: 'time' };
      return ingest({ source: 'table', log, out: join(folder, 'drawn'), append: true });
    };
    await drawn('first.csv', 0);
    await expect(drawn('second.csv', 50)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('candidates were drawn'),
    });
  });
});
