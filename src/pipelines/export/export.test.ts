import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOf, replay, type ServedShop, servedShop } from '../../../test/support/served-shop.ts';
import { courier } from '../../../test/support/terminal.ts';
import { writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import { writeTinyHm } from '../../../test/support/tiny-shop.ts';
import { writeUntrainedEncoder } from '../../../test/support/untrained-encoder.ts';
import { NONE } from '../../data/dataset.ts';
import { closeDataset, loadDataset } from '../../data/store.ts';
import { openService } from '../../serving/service.ts';
import { ingest } from '../ingest/index.ts';
import { rank } from '../rank/index.ts';
import { exportServing } from './index.ts';

describe('courier export', () => {
  let folder: string;
  let shop: ServedShop;
  let ranker: string;
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    shop = await servedShop(folder);
    ({ ranker } = await exportOf(shop, { name: 'shop', features: 'sim-score+semantic-id' }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function words(out: string, ...more: string[]) {
    const own = [
      '--dataset',
      shop.dataset,
      '--ranker',
      ranker,
      '--embeddings',
      shop.embeddings,
      '--out',
      out,
    ];
    return ['export', '--json', ...own, ...more];
  }

  it('leaves a whole folder that says what it holds, over an earlier export, and the same each time', async () => {
    const [ran, again] = [await courier(...words(at('one'))), await courier(...words(at('one')))];
    expect([ran.exitCode, ran.json]).toMatchObject([
      0,
      { ok: true, export: at('one'), items: 60, users: 12, embedsPhotos: false },
    ]);
    expect(again.exitCode).toBe(0);
    expect((await courier(...words(at('other')))).exitCode).toBe(0);
    const names = await readdir(at('one'));
    expect(names).not.toContain('encoder.onnx');
    for (const name of names)
      expect([name, await readFile(at('one', name))]).toEqual([name, await readFile(at('other', name))]);
    expect((await readdir(folder)).filter((name) => /partial|replaced/.test(name))).toEqual([]);
    const { items, users, until } = JSON.parse(await readFile(at('one', 'serving.json'), 'utf8'));
    expect([items, users]).toEqual([60, 12]);
    const dataset = await loadDataset(shop.dataset);
    closeDataset(dataset);
    expect(until).toBeGreaterThan(dataset.pageViews.time.at(-1)!);
  });

  it('refuses parts that do not belong together, before there is a folder', async () => {
    await writeRandomEmbeddings(shop.dataset, at('random.parquet'));
    const other = await writeUntrainedEncoder(at('other.onnx'), 16, 3);
    const wide = await writeUntrainedEncoder(at('wide.onnx'), 32, 1);
    const refused = async (code: string, ...more: string[]) =>
      expect((await courier(...words(at('none'), ...more))).json).toMatchObject({ error: { code } });
    await refused('VALUE_INVALID', '--embeddings', at('random.parquet'));
    await refused('VALUE_INVALID', '--encoder', other);
    await refused('FILE_CORRUPT', '--encoder', wide);
    await refused('FILE_CORRUPT', '--attention', other);
    await refused('CONFIG_INVALID', '--until', 'yesterday');
    const without = { dataset: shop.dataset, ranker, out: at('none') };
    await expect(exportServing(without)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await mkdir(at('mine'));
    await writeFile(at('mine', 'letter.txt'), 'dear');
    expect((await courier(...words(at('mine')))).json).toMatchObject({ error: { code: 'OUTPUT_EXISTS' } });
    expect(await readdir(at('mine'))).toEqual(['letter.txt']);
    expect(await readdir(folder)).not.toContain('none');
  });

  it('refuses a dataset that does not say how it was counted', async () => {
    const old = at('old');
    await cp(shop.dataset, old, { recursive: true });
    const path = join(old, 'dataset.json');
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    expect(manifest.content.counters).toEqual({ withExposures: true, lag: 0, period: 1 });
    delete manifest.content.counters;
    manifest.hash = createHash('sha256').update(JSON.stringify(manifest.content)).digest('hex');
    await writeFile(path, JSON.stringify(manifest));
    const { ok, error } = (await courier(...words(at('none'), '--dataset', old))).json;
    expect([ok, error]).toMatchObject([false, { code: 'DATASET_INVALID' }]);
  });

  it('goes on from a log of purchases, whose candidates are drawn and whose counters know clicks alone', async () => {
    const source = await writeTinyHm(at('hm'));
    const dataset = at('hm-dataset');
    await ingest({ source: 'hm', ...source, out: dataset, side: 16 });
    await rank({
      dataset,
      out: at('hm-run'),
      export: 'none',
      ranker: { epochs: 1 },
      starts: ['warm'],
      diagnosis: false,
    });
    const data = await loadDataset(dataset);
    const until = new Date(data.splitTimes.testFrom).toISOString();
    await exportServing({ dataset, ranker: at('hm-run', 'export'), until, out: at('hm-export') });
    const service = await openService({ export: at('hm-export'), state: at('hm.mdb') });
    const { names } = data.exposures.numeric;
    const { history, historyLength } = data.pageViews;
    const replayed = await replay(dataset, data);
    for (const { view, before, request, rows } of replayed) {
      if (before.length > 0) await service.record(before);
      const found = await service.features(request);
      const wanted = new Float32Array(rows.length * names.length);
      data.exposures.numeric.fill(rows, wanted);
      expect([found.names, found.base]).toEqual([names, wanted]);
      const clicked = history.subarray(view * historyLength, (view + 1) * historyLength);
      expect(found.history).toEqual(
        Array.from(clicked.filter((item) => item !== NONE)).map((item) => data.catalogue.ids[item]),
      );
    }
    expect(replayed.length).toBeGreaterThan(5);
    await service.close();
    closeDataset(data);
  });
});
