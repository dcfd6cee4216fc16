import { copyFile, cp, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numbersOf } from '../../../test/support/numbers.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { csv, writeTinyHm, writeTinyTable } from '../../../test/support/tiny-shop.ts';
import { Counters } from '../../data/counters/counters.ts';
import { columnsOf } from '../../data/counters/numeric-rows.ts';
import { type Dataset, NONE } from '../../data/dataset.ts';
import { loadDataset } from '../../data/store.ts';
import type { ProgressEvent } from '../../progress.ts';
import type { IngestConfigInput } from './config.ts';
import { ingest } from './index.ts';

async function tinyHm(): Promise<IngestConfigInput> {
  const folder = await temporaryFolder();
  await writeTinyHm(join(folder, 'shop'));
  return { source: 'hm', folder: join(folder, 'shop'), out: join(folder, 'dataset'), side: 8 };
}

async function tinyTable(): Promise<IngestConfigInput> {
  const folder = await temporaryFolder();
  return { source: 'table', ...(await writeTinyTable(folder)), out: join(folder, 'dataset'), side: 8 };
}

/** Purchases of items that nobody bought before, beside candidates from earlier purchases. */
async function newThings(): Promise<IngestConfigInput> {
  const folder = await temporaryFolder();
  const path = join(folder, 'purchases.csv');
  const rows = Array.from({ length: 400 }, (_, row) => [`user${row % 9}`, `item${row}`, 1_700_000_000 + row]);
  await writeFile(path, csv([['user', 'item', 'time'], ...rows]));
  const log = { path, user: 'user', item: 'item', time: 'time' };
  return { source: 'table', log, candidates: { from: 'earlier' }, out: join(folder, 'dataset'), side: 8 };
}

async function ingested(config: IngestConfigInput): Promise<Dataset> {
  await ingest(config);
  const dataset = await loadDataset(config.out);
  dataset.images.close();
  return dataset;
}

describe('ingest', () => {
  it('makes a dataset of the H&M layout', async () => {
    const config = await tinyHm();
    const { folder, report } = await ingest(config);
    const dataset = await loadDataset(folder);
    expect(dataset.name).toBe('hm');
    expect(report).toEqual(dataset.report);
    expect(dataset.images.count).toBe(24);
    expect(dataset.images.read([...dataset.catalogue.photo]).some((value) => value < 255)).toBe(true);
    expect(dataset.catalogue.categories.map(({ name }) => name)[0]).toBe('product_code');
    expect(report.counts['page views with a click']).toBe(report.counts['page views']);
    expect(dataset.exposures.context[0]?.values.toSorted()).toEqual(['1', '2', 'unknown']);
    dataset.images.close();
  });

  it('keeps the price of the day out: a candidate has the price of a strictly earlier day', async () => {
    const config = await tinyHm();
    const dataset = await ingested(config);
    const log = (
      await readFile(join(config.source === 'hm' ? config.folder : '', 'transactions.csv'), 'utf8')
    )
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','));
    const { item, numeric } = dataset.exposures;
    const all = item.map((_, row) => row);
    const [price, missing] = columnsOf(numeric, ['price', 'price_missing'], all);
    const { start, time } = dataset.pageViews;
    for (let view = 0; view < time.length; view++) {
      for (let row = start[view]!; row < start[view + 1]!; row++) {
        const id = dataset.catalogue.ids[item[row]!];
        const today = Math.floor(time[view]! / 86_400_000) * 86_400_000;
        const earlier = log.filter(([date, , article]) => article === id && Date.parse(date!) < today);
        const last = earlier.at(-1)?.[3];
        expect(missing![row]).toBe(last === undefined ? 1 : 0);
        if (last !== undefined) expect(price![row]!).toBeCloseTo(Number(last), 6);
      }
    }
  });

  it('never has an item in the history before it was clicked', async () => {
    const dataset = await ingested(await tinyTable());
    const { pageViews, exposures } = dataset;
    const clicked = new Map<string, number>();
    for (let view = 0; view < pageViews.user.length; view++) {
      const { historyLength } = pageViews;
      const history = pageViews.history.subarray(view * historyLength, (view + 1) * historyLength);
      for (const item of history.filter((each) => each !== NONE)) {
        const first = clicked.get(`${pageViews.user[view]} ${item}`) ?? Number.POSITIVE_INFINITY;
        expect(first).toBeLessThan(pageViews.time[view]!);
      }
      for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
        const key = `${pageViews.user[view]} ${exposures.item[row]}`;
        if (exposures.clicked[row] === 1 && !clicked.has(key)) clicked.set(key, pageViews.time[view]!);
      }
    }
    expect(pageViews.history.some((item) => item !== NONE)).toBe(true);
  });

  it('writes what the counters tell when its events are played to them again', async () => {
    const { catalogue, pageViews, exposures } = await ingested(await tinyTable());
    const { categories } = catalogue;
    const counters = new Counters({ categories, withExposures: true, lag: 0, period: 1 });
    const width = exposures.numeric.names.length;
    const numbers = numbersOf(exposures);
    expect(exposures.numeric.names.slice(0, counters.names.length)).toEqual(counters.names);
    for (const [view, user] of pageViews.user.entries()) {
      const time = pageViews.time[view]!;
      for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
        const event = { user, item: exposures.item[row]!, time };
        counters.observe({ ...event, kind: 'exposure' });
        if (exposures.clicked[row] === 1) counters.observe({ ...event, kind: 'click' });
        const columns = numbers.subarray(row * width, row * width + counters.names.length);
        expect(columns).toEqual(Float32Array.from(counters.describe(event.item, user, time)));
      }
    }
  });

  it('reads and writes where a path looks like a pattern', async () => {
    const config = await tinyTable();
    if (config.source !== 'table') throw new Error('it is no table');
    const folder = dirname(config.log.path);
    const odd = `${folder}-[o]d*d?`;
    await cp(folder, odd, { recursive: true });
    const moved = (path: string) => path.replace(folder, () => odd);
    const there = {
      ...config,
      log: { ...config.log, path: moved(config.log.path) },
      ...(config.images === undefined ? {} : { images: moved(config.images) }),
      out: moved(config.out),
    };
    const [plain, other] = [await ingested(config), await ingested(there)];
    expect(other.hash).toBe(plain.hash);
    await rm(odd, { recursive: true });
  });

  it('keeps photos as JPEG of nearly the same pixels where that is asked for, which are checked when they are opened', async () => {
    const config = await tinyTable();
    const out = `${config.out}-jpeg`;
    const all = (count: number) => Array.from({ length: count }, (_, row) => row);
    const [plain, encoded] = [await ingested(config), await ingested({ ...config, out, photosAs: 'jpeg' })];
    expect([...encoded.catalogue.photo]).toEqual([...plain.catalogue.photo]);
    const [exact, given] = [await loadDataset(config.out), await loadDataset(out)].map(({ images }) => {
      const pixels = images.read(all(images.count));
      images.close();
      return pixels;
    });
    const squares = given!.reduce((sum, value, at) => sum + (value - exact![at]!) ** 2, 0);
    expect(squares / given!.length).toBeLessThan(255 ** 2 / 1000);
    const index = join(out, 'photos.parquet');
    const bytes = await readFile(index);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(index, bytes);
    await expect(loadDataset(out)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  it('gives the same hash for the same seed, and another for another', async () => {
    const config = await tinyHm();
    const first = await ingested(config);
    expect((await ingested({ ...config, out: `${config.out}2` })).hash).toBe(first.hash);
    expect((await ingested({ ...config, out: `${config.out}3`, seed: 2 })).hash).not.toBe(first.hash);
  });

  it('does nothing when the same dataset is there already, though files were touched and a system left its own', async () => {
    const config = await tinyTable();
    if (config.source !== 'table' || config.images === undefined) throw new Error('it has no photos');
    const { report } = await ingest(config);
    const photos = await readdir(config.images);
    for (const path of [config.log.path, join(config.images, photos[0]!)]) await utimes(path, 1, 1);
    for (const name of ['.DS_Store', 'Thumbs.db']) await writeFile(join(config.images, name), '');
    const before = await stat(join(config.out, 'dataset.json'));
    const events: ProgressEvent[] = [];
    expect((await ingest(config, { progress: (event) => events.push(event) })).report).toEqual(report);
    expect((await stat(join(config.out, 'dataset.json'))).mtimeMs).toBe(before.mtimeMs);
    expect(events.map(({ kind }) => kind)).toEqual(['note']);
  });

  it('replaces a dataset of other settings or input files only with overwrite', async () => {
    const config = await tinyTable();
    const { hash } = await ingested(config);
    const other = { ...config, historyLength: 3 };
    await expect(ingest(other)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect((await ingested({ ...other, overwrite: true })).hash).not.toBe(hash);
    expect((await ingested({ ...config, overwrite: true })).hash).toBe(hash);
    // Of the same size: one row says another price.
    const path = config.source === 'table' ? config.log.path : '';
    const text = await readFile(path, 'utf8');
    const last = text.search(/\d\D*$/);
    await writeFile(path, `${text.slice(0, last)}${text[last] === '1' ? 0 : 1}${text.slice(last + 1)}`);
    await expect(ingest(config)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
  });

  it('replaces a dataset of which a photo was replaced only with overwrite', async () => {
    const config = await tinyTable();
    if (config.source !== 'table' || config.images === undefined) throw new Error('it has no photos');
    const { hash } = await ingested(config);
    const [first, second] = (await readdir(config.images)).map((name) => join(config.images!, name));
    await copyFile(first!, second!);
    await expect(ingest(config)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect((await ingested({ ...config, overwrite: true })).hash).not.toBe(hash);
  });

  it('never replaces a folder that is no dataset, nor a file', async () => {
    const config = await tinyTable();
    await mkdir(config.out);
    await writeFile(join(config.out, 'thesis.txt'), 'precious');
    await expect(ingest({ ...config, overwrite: true })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
    const out = join(config.out, 'thesis.txt');
    await expect(ingest({ ...config, out, overwrite: true })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
    expect(await readFile(out, 'utf8')).toBe('precious');
  });

  it('leaves nothing behind when it fails, and an older dataset as it was', async () => {
    const config = await tinyTable();
    const { hash } = await ingested(config);
    await writeFile(
      config.source === 'table' ? config.log.path : '',
      'user,item,time,clicked,price,device\n',
    );
    await expect(ingest({ ...config, overwrite: true })).rejects.toMatchObject({ code: 'LOG_EMPTY' });
    expect(
      (await readdir(dirname(config.out))).filter((name) => name.startsWith(basename(config.out))),
    ).toEqual(['dataset']);
    const dataset = await loadDataset(config.out);
    expect(dataset.hash).toBe(hash);
    dataset.images.close();
  });

  it('measures what the candidates of a shop give away, and blames only those that it drew', async () => {
    const blamed = /the draw gives away/;
    const exposed = await ingest(await tinyTable());
    expect(exposed.report.candidates.map(({ split }) => split)).toEqual(['train', 'validation', 'test']);
    const candidates = exposed.report.candidates.flatMap(({ clicked, unclicked }) => [clicked, unclicked]);
    const exposures = candidates.reduce((sum, side) => sum + side.exposures, 0);
    expect(exposures).toBe(exposed.report.counts['exposures']);
    expect(exposed.report.findings.filter(({ what }) => blamed.test(what))).toEqual([]);
    const drawn = await ingest(await newThings());
    expect(drawn.report.findings.filter(({ what }) => blamed.test(what))).not.toEqual([]);
  });

  it('names the key of a wrong configuration', async () => {
    const config = await tinyHm();
    const unknown = { ...config, sied: 32 };
    await expect(ingest(unknown)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('unknown key `sied`'),
    });
    const exposed = { ...(await tinyTable()), candidates: { from: 'earlier' } as const };
    await expect(ingest(exposed)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('`candidates`: are exposed'),
    });
    const purchases = { log: { path: 'x.csv', user: 'u', item: 'i', time: 't', numeric: ['price'] } };
    await expect(ingest({ source: 'table', out: 'x', ...purchases })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('`log.numeric`: needs `clicked`'),
    });
  });
});
