import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCatalogue } from './catalogue.ts';
import { shopConfig } from './config.ts';
import { simulateLog } from './log.ts';
import { loadTruth, sharesTaste, Truth, type TruthFile, truthOf } from './truth.ts';

const config = shopConfig.parse({ items: 60, shoppers: 5, pageViews: 80 });
const catalogue = makeCatalogue(config);
const log = simulateLog(config, catalogue);
const file = truthOf(catalogue, log);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'truth-'));
});
afterAll(() => rm(folder, { recursive: true }));

function withClicks(...clicks: [pageView: string, time: number, taste: number | null][]): Truth {
  const described = clicks.map(([pageView, time, taste]) => ({
    pageView,
    time,
    taste,
    user: 'u',
    item: 'i',
  }));
  return new Truth({ ...file, clicks: described });
}

describe('the truth of a generated shop', () => {
  it('names the active taste for clicks on items of that look, and none for other clicks', () => {
    const truth = new Truth(file);
    let [withTaste, without] = [0, 0];
    for (const view of log) {
      for (const { item, clicked } of view.exposures) {
        const { id, taste } = catalogue[item]!;
        const expected = clicked && taste === view.taste ? taste : undefined;
        expect(truth.tasteOf(view.id, id)).toBe(expected);
        if (clicked) expect(truth.clickAt(view.user, id, view.time)?.pageView).toBe(view.id);
        if (clicked && expected === undefined) without++;
        if (expected !== undefined) withTaste++;
      }
    }
    expect(withTaste).toBeGreaterThan(without);
    expect(without).toBeGreaterThan(0);
  });

  it('finds the latest click on an item strictly before a time', () => {
    const truth = withClicks(['b', 20, 2], ['a', 10, 1], ['c', 30, null]);
    expect(truth.clickBefore('u', 'i', 10)).toBeUndefined();
    expect(truth.clickBefore('u', 'i', 20)?.taste).toBe(1);
    expect(truth.clickBefore('u', 'i', 21)?.taste).toBe(2);
    expect(truth.clickBefore('u', 'i', 99)?.taste).toBeNull();
    expect(truth.clickBefore('other', 'i', 99)).toBeUndefined();
    expect(truth.clickAt('u', 'i', 20)?.pageView).toBe('b');
    expect(truth.clickAt('u', 'i', 25)).toBeUndefined();
  });

  it('lets only clicks with a taste share it', () => {
    const click = (taste: number | null) => ({ pageView: 'p', user: 'u', time: 0, item: 'i', taste });
    expect(sharesTaste(click(3), click(3))).toBe(true);
    expect(sharesTaste(click(3), click(4))).toBe(false);
    expect(sharesTaste(click(null), click(null))).toBe(false);
  });

  it('comes back from its file as it was written', async () => {
    const path = join(folder, 'truth.json');
    await writeFile(path, JSON.stringify(file));
    expect(await loadTruth(path)).toEqual(new Truth(file));
    expect((await loadTruth(path)).items.get(catalogue[0]!.id)).toMatchObject(catalogue[0]!.look);
  });

  it('refuses a missing, cut or altered file', async () => {
    const broken: [string, string][] = [
      ['cut.json', JSON.stringify(file).slice(0, 200)],
      ['colour.json', JSON.stringify(file).replace('"red"', '"beige"')],
      ['taste.json', JSON.stringify({ ...file, tastes: file.tastes.slice(0, 2) } satisfies TruthFile)],
    ];
    for (const [name, text] of broken) {
      await writeFile(join(folder, name), text);
      await expect(loadTruth(join(folder, name)), name).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
      expect(await readFile(join(folder, name), 'utf8')).toBe(text);
    }
    await expect(loadTruth(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
