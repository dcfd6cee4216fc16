import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../progress.ts';
import { hashFile } from '../storage/files.ts';
import type { ShopFiles } from './files.ts';
import { generateShop } from './generate.ts';
import { loadTruth } from './truth.ts';

const config = { items: 40, shoppers: 4, pageViews: 30, photoSide: 32 };

let folder: string;
let files: ShopFiles;
const events: ProgressEvent[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-'));
  files = await generateShop(
    { ...config, out: join(folder, 'first') },
    { progress: (event) => events.push(event) },
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** The rows of a file whose columns are just these. */
async function readCsv<Column extends string>(path: string, columns: readonly Column[]) {
  const [header, ...rows] = (await readFile(path, 'utf8')).trim().split('\n');
  expect(header).toBe(columns.join(','));
  return rows.map((row) => {
    const values = row.split(',');
    expect(values).toHaveLength(columns.length);
    return (column: Column) => values[columns.indexOf(column)]!;
  });
}

const catalogueColumns = ['item_id', 'image', 'title', 'collection', 'price'] as const;
const clickColumns = ['page_view', 'user', 'time', 'item_id', 'position', 'price', 'clicked'] as const;

describe('generateShop', () => {
  it('writes a catalogue in which every item has its photo', async () => {
    const catalogue = await readCsv(files.catalogue, catalogueColumns);
    expect(new Set(catalogue.map((item) => item('item_id'))).size).toBe(40);
    expect(catalogue.map((item) => item('image')).sort()).toEqual((await readdir(files.images)).sort());
    for (const item of catalogue) expect(Number(item('price'))).toBeGreaterThan(0);
    const photo = await sharp(join(files.images, catalogue[0]!('image'))).metadata();
    expect(photo).toMatchObject({ format: 'jpeg', width: 32, height: 32, channels: 3 });
  });

  it('writes one row per exposure, by page view and position, whose clicks are those of the truth', async () => {
    const rows = await readCsv(files.clicks, clickColumns);
    const truth = await loadTruth(files.truth);
    expect(new Set(rows.map((row) => row('page_view'))).size).toBe(30);
    let [clicks, position, pageView] = [0, 0, ''];
    for (const row of rows) {
      position = row('page_view') === pageView ? position + 1 : 1;
      pageView = row('page_view');
      expect(Number(row('position'))).toBe(position);
      expect(truth.items.has(row('item_id'))).toBe(true);
      const click = truth.clickAt(row('user'), row('item_id'), Date.parse(row('time')));
      expect(row('clicked')).toBe(click === undefined ? '0' : '1');
      if (click !== undefined) clicks++;
    }
    expect(clicks).toBeGreaterThan(5);
  });

  it('gives the same bytes for the same seed and others for another', async () => {
    const again = await generateShop({ ...config, out: join(folder, 'again') });
    const other = await generateShop({ ...config, seed: 2, out: join(folder, 'other') });
    const photo = 'i00001.jpg';
    const hashes = ({ catalogue, clicks, truth, images }: ShopFiles) =>
      Promise.all([catalogue, clicks, truth, join(images, photo)].map(hashFile));
    const first = await hashes(files);
    expect(await hashes(again)).toEqual(first);
    for (const [index, hash] of (await hashes(other)).entries()) expect(hash).not.toBe(first[index]);
  });

  it('tells its progress photo by photo', () => {
    expect(events[0]).toMatchObject({ kind: 'start', total: 40, unit: 'photos' });
    expect(events.filter(({ kind }) => kind === 'advance')).toHaveLength(40);
    expect(events.at(-1)).toMatchObject({ kind: 'end' });
  });

  it('refuses a configuration that it does not know', async () => {
    const unknown = { ...config, out: join(folder, 'bad'), colours: 3 };
    await expect(generateShop(unknown)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});
