import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import { writeTinyTable } from '../../../test/support/tiny-shop.ts';
import { NONE } from '../../data/dataset.ts';
import { literal, withDuckDB } from '../../data/duckdb/duckdb.ts';
import { readParquet } from '../../data/duckdb/parquet-table.ts';
import { readEmbeddings } from '../../data/embeddings/embeddings.ts';
import { closeDataset, loadDataset } from '../../data/store.ts';
import { widthOf } from '../../data/visual-feature.ts';
import { codesConfig, loadKnownEmbeddings, visualInputs } from '../../evaluation/visual-inputs.ts';
import { createFeature, featureNames } from '../../features/index.ts';
import { rawExposures } from '../../rankers/exposure.ts';
import { ingest } from '../ingest/index.ts';
import { features } from './index.ts';

/** A log of which a row is there twice, two become one exposure, and one cannot be used; then one that is appended. */
async function messyShop() {
  const folder = await temporaryFolder();
  const options = await writeTinyTable(folder);
  const [header = '', ...rows] = (await readFile(options.log.path, 'utf8')).trim().split('\n');
  const [first = '', second = ''] = rows;
  const clicked = second
    .split(',')
    .with(3, second.split(',')[3] === '1' ? '0' : '1')
    .join(',');
  const bad = second.split(',').with(2, 'soon').join(',');
  const messy = [bad, first, ...rows.slice(0, 200), clicked];
  const later = join(folder, 'later.csv');
  await writeFile(options.log.path, `${[header, ...messy].join('\n')}\n`);
  await writeFile(later, `${[header, ...rows.slice(200)].join('\n')}\n`);
  const config = {
    source: 'table',
    ...options,
    maxBadRows: 0.1,
    side: 8,
    out: join(folder, 'dataset'),
  } as const;
  const { report } = await ingest(config);
  await ingest({ ...config, log: { ...options.log, path: later }, append: true });
  const embeddings = join(folder, 'embeddings.parquet');
  await writeRandomEmbeddings(config.out, embeddings);
  return {
    folder,
    log: options.log.path,
    later,
    dataset: config.out,
    embeddings,
    report,
    rows: messy.length,
  };
}

describe('features for other rankers', () => {
  it('join back by the row of the log: every row is an exposure, or was counted as something else', async () => {
    const { folder, log, later, dataset, embeddings, report, rows } = await messyShop();
    const out = join(folder, 'features.parquet');
    await features({ dataset, embeddings, out });
    const [joined] = await withDuckDB([folder], async (connection) => {
      const numbered = (path: string, number: number) =>
        `SELECT ${number} AS log, row_number() OVER () AS row, * FROM read_csv(${literal(path)}, all_varchar = true)`;
      const result = await connection.runAndReadAll(`
        WITH logs AS (${numbered(log, 0)} UNION ALL ${numbered(later, 1)})
        SELECT count(*) FILTER (features.log = 0), count(*) FILTER (features.log = 1), count(DISTINCT (features.log, features.log_row)),
          bool_and(features."user" = logs."user" AND features.item = logs.item), (SELECT count(*) FROM logs WHERE log = 1)
        FROM read_parquet(${literal(out)}) AS features JOIN logs ON features.log = logs.log AND features.log_row = logs.row`);
      return result.getRows();
    });
    const [early, appended, distinct, same, appendedRows] = joined!.map((value) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
    const counted = report.findings
      .filter(({ what }) => /skipped|Duplicate|merged/.test(what))
      .reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(3);
    expect([Number(early) + counted, appended, same]).toEqual([rows, appendedRows, true]);
    expect(distinct).toBe(Number(early) + Number(appended));
  });

  it('are what their definitions say: cosines with the newest of the history, their maximum and mean', async () => {
    const { folder, dataset, embeddings } = await messyShop();
    const out = join(folder, 'features.parquet');
    const ran = await courier(
      ...['features', '--json', '--dataset', dataset, '--embeddings', embeddings, '--out', out],
      ...['--features', 'sim-score,sim-tier,cluster-id', '--set', 'codes.clusters=[3]'],
    );
    expect(ran).toMatchObject({ exitCode: 0 });
    const { columns } = JSON.parse(await readFile(join(folder, 'features.json'), 'utf8')) as {
      columns: { name: string; definition: string }[];
    };
    for (const { definition } of columns) expect(definition).toMatch(/\S/);
    const { catalogue, pageViews, exposures, images } = await loadDataset(dataset);
    images.close();
    const { ids, vectors, dimension } = await readEmbeddings(embeddings);
    const vectorOf = (item: number) => {
      const at = ids.indexOf(catalogue.ids[item]!);
      return [...vectors.subarray(at * dimension, (at + 1) * dimension)];
    };
    const table = await withDuckDB([folder], async (connection) =>
      (await connection.runAndReadAll(`SELECT * FROM read_parquet(${literal(out)})`)).getRowObjects(),
    );
    expect(Object.keys(table[0]!)).toEqual(columns.map(({ name }) => name));
    let compared = 0;
    for (const [view, from] of pageViews.start.subarray(0, -1).entries()) {
      for (let row = from; row < pageViews.start[view + 1]!; row++) {
        const candidate = exposures.item[row]!;
        const { historyLength } = pageViews;
        const newest = [...pageViews.history.subarray(view * historyLength, view * historyLength + 5)];
        const cosines = newest
          .filter((item) => item !== NONE && catalogue.photo[item] !== catalogue.photo[candidate])
          .map((item) =>
            vectorOf(item).reduce((sum, value, place) => sum + value * vectorOf(candidate)[place]!, 0),
          );
        const written = table[row]!;
        expect(written['sim_score_comparable']).toBe(cosines.length > 0 ? 1 : 0);
        if (cosines.length === 0) continue;
        compared++;
        expect(written['sim_score_maximum']).toBeCloseTo(Math.max(...cosines), 5);
        const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
        expect(written['sim_score_mean']).toBeCloseTo(mean, 5);
      }
    }
    expect(compared).toBeGreaterThan(50);
  });

  it.each(featureNames)(
    'of %s are the values that a ranker is trained on, and that a server sends it',
    async (name) => {
      const { folder, dataset, embeddings: path } = await messyShop();
      const codes = { clusters: [3], semanticLevels: 2, semanticCodes: 3 };
      const out = join(folder, 'features.parquet');
      const { description } = await features({
        dataset,
        embeddings: path,
        features: [name],
        base: false,
        codes,
        out,
      });
      const data = await loadDataset(dataset);
      closeDataset(data);
      const config = codesConfig.parse(codes);
      const embeddings = await loadKnownEmbeddings(data, path);
      const options = { config, seed: 1, folder: join(folder, 'codes'), file: path, allowLeak: false };
      const feature = createFeature([name], data, await visualInputs(data, embeddings, [name], options));
      const rows = Int32Array.from(data.exposures.item.keys());
      const width = widthOf(feature);
      const dense = new Float32Array(rows.length * width);
      feature.fill(rows, dense);
      const sent = rawExposures(data, feature, rows);
      const { historyLength } = data.pageViews;
      const own = description.columns.slice(
        description.columns.findIndex((each) => each.name === 'clicked') + 1,
      );
      const near = feature.fillNearness === null ? 0 : historyLength;
      expect(own).toHaveLength(width + near + feature.codes.length);
      for (const { definition } of own) expect(definition).toMatch(/\S/);
      const written = await readParquet(out, async (table) => {
        const numbers: Float32Array[] = [];
        for (const each of own.slice(0, width + near)) numbers.push(await table.floats(each.name));
        const ids: Int32Array[] = [];
        for (const each of own.slice(width + near)) ids.push(await table.integers(each.name));
        return { numbers, ids };
      });
      for (const row of rows) {
        const numbers = written.numbers.map((column) => column[row]!);
        expect(numbers.slice(0, width)).toEqual([...dense.subarray(row * width, (row + 1) * width)]);
        expect(sent[row]?.visual).toEqual(numbers.slice(0, width));
        const told = sent[row]?.nearness ?? [];
        expect(numbers.slice(width)).toEqual([...told, ...new Array(near - told.length).fill(0)]);
        const item = data.exposures.item[row]!;
        expect(written.ids.map((column) => column[row])).toEqual(
          feature.codes.map((each) => each.codes[item]),
        );
      }
      const all = [...written.numbers, ...written.ids];
      expect(all.some((column) => column.some((value) => value !== 0))).toBe(true);
    },
  );

  it('need embeddings, unless base features alone are asked for', async () => {
    const { folder, dataset } = await messyShop();
    const out = join(folder, 'base.parquet');
    await expect(features({ dataset, out })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const { description } = await features({ dataset, features: [], out });
    expect(description.columns.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['log_row', 'item_rate', 'price_missing', 'category_kind', 'context_device']),
    );
  });
});
