import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { writeTinyMl1m } from '../../../test/support/tiny-ml1m.ts';
import { writeTinyHm, writeTinyTable } from '../../../test/support/tiny-shop.ts';
import { sources } from './index.ts';
import type { SourceData } from './source.ts';
import { quantileSplitTimes, splitByTime } from './splits.ts';

/** Every adapter, and how to write a tiny shop in its layout: it returns the options to read it. */
const adapters = {
  table: { open: sources.table, write: writeTinyTable },
  hm: { open: sources.hm, write: writeTinyHm },
  ml1m: { open: sources.ml1m, write: writeTinyMl1m },
} satisfies Record<keyof typeof sources, unknown>;

describe.each(Object.entries(adapters))('adapter %s', (_name, { open, write }) => {
  const context = { seed: 3, maxBadRows: 0, historyLength: 5, scratch: tmpdir() };
  async function read(): Promise<SourceData> {
    return open(await write(await temporaryFolder())).read(context);
  }

  it('describes items with distinct ids, one text per category, and photos that exist', async () => {
    const { items, categoryNames } = await read();
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    for (const item of items) {
      expect(item.categories).toHaveLength(categoryNames.length);
      if (item.photo !== null)
        expect(item.photo.kind === 'file' && (await stat(item.photo.path)).isFile()).toBe(true);
    }
    expect(items.some(({ photo }) => photo !== null)).toBe(true);
  });

  it('gives clicks in the order of time, with users and items that exist', async () => {
    const { clicks, users, items } = await read();
    expect(clicks.item.length).toBeGreaterThan(0);
    expect(clicks.time).toEqual(clicks.time.toSorted());
    expect(Math.max(...clicks.user)).toBeLessThan(users.length);
    expect(Math.max(...clicks.item)).toBeLessThan(items.length);
  });

  it('gives page views in the order of time, of distinct items, in three splits one after the other', async () => {
    const { pageViews, exposures, users } = await read();
    const { start, time, splitTimes, user, context: columns } = pageViews;
    const split = splitByTime(time, splitTimes ?? quantileSplitTimes(time));
    expect(time).toEqual(time.toSorted());
    expect(split).toEqual(split.toSorted());
    expect([...new Set(split)]).toEqual([0, 1, 2]);
    expect(new Set(users).size).toBe(users.length);
    expect(Math.max(...user)).toBeLessThan(users.length);
    expect(start[0]).toBe(0);
    expect(start.at(-1)).toBe(exposures.item.length);
    for (let view = 0; view < time.length; view++) {
      const shown = exposures.item.subarray(start[view], start[view + 1]);
      expect(shown.length).toBeGreaterThan(0);
      expect(new Set(shown).size).toBe(shown.length);
    }
    for (const { codes, values } of columns) {
      expect(codes).toHaveLength(time.length);
      expect(Math.max(...codes)).toBeLessThan(values.length);
    }
    for (const { values } of exposures.numeric) expect(values).toHaveLength(exposures.item.length);
  });

  it('has a click behind every candidate that is marked as clicked', async () => {
    const { pageViews, exposures, clicks } = await read();
    const clicked = new Set(Array.from(clicks.item, (item, row) => `${clicks.user[row]} ${item}`));
    for (let view = 0; view < pageViews.user.length; view++) {
      for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
        if (exposures.clicked[row] === 1) {
          expect(clicked).toContain(`${pageViews.user[view]} ${exposures.item[row]}`);
        }
      }
    }
  });

  it('does not put the clicked candidate at one place', async () => {
    const { pageViews, exposures } = await read();
    const places = Array.from(pageViews.user, (_, view) =>
      exposures.clicked.subarray(pageViews.start[view], pageViews.start[view + 1]).indexOf(1),
    );
    expect(new Set(places.filter((place) => place >= 0)).size).toBeGreaterThan(2);
  });

  it('gives the same for the same seed', async () => {
    const options = await write(await temporaryFolder());
    expect(await open(options).read(context)).toEqual(await open(options).read(context));
  });

  it('names its inputs, all of which exist, and itself', async () => {
    const source = open(await write(await temporaryFolder()));
    expect(source.name).not.toBe('');
    for (const path of await source.inputs()) await stat(path);
  });
});
