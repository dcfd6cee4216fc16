import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { tinyDataset, writeRandomEmbeddings } from '../../../test/support/tiny-dataset.ts';
import { csv } from '../../../test/support/tiny-shop.ts';
import { literal, withDuckDB } from '../../data/duckdb/duckdb.ts';
import { writeParquet } from '../../data/duckdb/parquet.ts';
import { loadDataset, readLogRows } from '../../data/store.ts';
import { readResult } from '../../evaluation/ranker-file.ts';
import { rankerPlace, rankersFolder } from '../../evaluation/ranker-place.ts';
import { known } from '../../metrics/measured.ts';
import type { Evaluation } from '../../report/evaluation.ts';
import { features as writeFeatures } from '../features/index.ts';
import { rank } from '../rank/index.ts';
import { evaluate } from './index.ts';

/** Rankers of ours, and their predictions of the test period as a team would have them. */
async function ranked() {
  const folder = await temporaryFolder();
  const dataset = await tinyDataset(folder);
  const embeddings = join(folder, 'embeddings.parquet');
  await writeRandomEmbeddings(dataset, embeddings);
  const out = join(folder, 'rank');
  const { report } = await rank({
    ...{
      dataset,
      embeddings: { embeddings },
      out,
      features: ['none', 'sim-score'],
      seeds: [1],
      starts: ['warm'],
    },
    ...{ choices: [{}], diagnosis: false },
  });
  const places = await readLogRows(dataset);
  const row = { source: 'embeddings', features: 'sim-score', embeddings: () => embeddings };
  const write = async (name: string, planned: typeof row | null) => {
    const path = join(folder, `${name}.parquet`);
    const result = await readResult(rankerPlace(rankersFolder(out), planned, 'warm', 1).path);
    if (result === null || places === null) throw new Error('there is no ranker');
    await writeParquet(path, [
      {
        name: 'log_row',
        type: 'BIGINT',
        values: BigInt64Array.from(result.testRows, (each) => places.row[each]!),
      },
      { name: 'my_score', type: 'FLOAT', values: result.testScores },
    ]);
    return path;
  };
  return { folder, dataset, report, prod: await write('prod', null), images: await write('images', row) };
}

/** The row of the log of an exposure of the test period. */
async function firstTestRow(dataset: string): Promise<bigint> {
  const { pageViews, images } = await loadDataset(dataset);
  images.close();
  const { row } = (await readLogRows(dataset))!;
  return row[pageViews.start[pageViews.split.indexOf(2)]!]!;
}

describe('predictions of other rankers', () => {
  it('of our own rankers give our own table, to the last digit', async () => {
    const { folder, dataset, report, prod, images } = await ranked();
    const out = join(folder, 'evaluation');
    const { evaluation } = await evaluate({ dataset, predictions: { prod, images }, out });
    const [unlearned, none, visual] = report.rows;
    const figuresOf = (row: (typeof report.rows)[number] | undefined) => {
      const { auc, gauc, logLoss, ndcg, calibration, lifts, slices } = row!;
      return { auc, gauc, logLoss, ndcg, calibration, lifts, slices };
    };
    expect(evaluation.rows.map(figuresOf)).toEqual([unlearned, none, visual].map(figuresOf));
    expect(evaluation.baseline).toBe('prod');
    expect(evaluation.models.map(({ share }) => share)).toEqual([1, 1]);
    const page = await readFile(join(out, 'evaluation.html'), 'utf8');
    expect(page).toContain('prod');
    expect(page).not.toMatch(/no images|COURIER/);
  });

  it('join by user, item and time as well, and only what every model predicts is measured', async () => {
    const { folder, dataset, prod } = await ranked();
    const { users, catalogue, pageViews, exposures, images } = await loadDataset(dataset);
    images.close();
    const rows: (string | number)[][] = [['user', 'item', 'time', 'p']];
    for (const [view, split] of pageViews.split.entries()) {
      if (split !== 2) continue;
      for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++)
        rows.push([
          users[pageViews.user[view]!]!,
          catalogue.ids[exposures.item[row]!]!,
          new Date(pageViews.time[view]!).toISOString(),
          exposures.clicked[row] === 1 ? 0.9 : 0.1,
        ]);
    }
    const oracle = join(folder, 'oracle.csv');
    await writeFile(oracle, csv([...rows.slice(0, -2), ['stranger', 'item1', '2024-01-01', 0.5]]));
    const run = (...words: string[]) =>
      courier(
        ...['evaluate', '--json', '--dataset', dataset, '--predictions', `prod=${prod},oracle=${oracle}`],
        ...['--out', join(folder, 'evaluation'), ...words],
      );
    const ran = await run();
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.stderr).toMatch(/oracle is better than prod: \+/);
    const { models, rows: measured } = ran.json as {
      models: { model: string; share: number; others: number }[];
      rows: { auc: { value: { mean: number } } }[];
    };
    expect(models[1]).toMatchObject({ model: 'oracle', others: 1 });
    expect(models[1]!.share).toBeCloseTo((rows.length - 3) / (rows.length - 1), 12);
    expect(measured.at(-1)!.auc.value.mean).toBe(1);
    // The same rows twice are two predictions of one exposure.
    await writeFile(oracle, csv([...rows, ...rows.slice(1)]));
    expect((await run()).stderr).toMatch(/several predictions of \d+ exposures, by user, item, time/);
  });

  it('without keys, scores, or exposures in common are refused with what there is', async () => {
    const { folder, dataset, prod } = await ranked();
    const refused = async (text: string) => {
      const path = join(folder, 'other.csv');
      await writeFile(path, text);
      return evaluate({ dataset, predictions: { prod, other: path }, out: join(folder, 'evaluation') }).then(
        () => '',
        (error: Error) => error.message,
      );
    };
    expect(await refused('id,p\n1,0.5\n')).toMatch(/does not say which exposures/);
    expect(await refused('log_row,a,b\n1,0.5,0.5\n')).toMatch(/holds the predictions is not plain; it has/);
    expect(await refused(`log_row,p\n${await firstTestRow(dataset)},-2.5\n`)).toMatch(
      /predicts -2.5, which is no probability/,
    );
    expect(await refused('log_row,p\n999999,0.5\n')).toMatch(
      /0 % have a prediction of every model: prod 100 %/,
    );
  });

  it('beside their exposures in one file need no dataset, and give the same table', async () => {
    const { folder, dataset, prod, images } = await ranked();
    const { evaluation } = await evaluate({
      ...{ dataset, predictions: { prod, images }, out: join(folder, 'joined') },
    });
    const path = await oneTable(folder, dataset, prod, images);
    const run = (out: string, ...words: string[]) =>
      courier('evaluate', '--json', '--exposures', path, '--out', join(folder, out), ...words);
    const ran = await run('alone', '--slice-by', 'device');
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.stringContaining('images ')]);
    const alone: Evaluation = JSON.parse(await readFile(join(folder, 'alone', 'evaluation.json'), 'utf8'));
    expect(alone).toMatchObject({
      baseline: 'prod',
      testRows: evaluation.testRows,
      testUsers: evaluation.testUsers,
    });
    const [, none, visual] = evaluation.rows;
    for (const [place, row] of [none, visual].entries()) {
      for (const figure of ['auc', 'gauc', 'logLoss', 'ndcg', 'calibration'] as const) {
        expect(meanOf(alone.rows[place]![figure])).toBeCloseTo(meanOf(row![figure]), 10);
      }
    }
    const lifts = [alone.rows[1], visual].map((row) => {
      const { difference, ci95, p } = row!.lifts!.auc;
      return [known(difference), ...(known(ci95) ?? []), known(p)];
    });
    for (const [place, value] of lifts[0]!.entries()) expect(value).toBeCloseTo(lifts[1]![place]!, 8);
    expect(new Set(alone.rows[1]!.slices.map(({ family, name }) => `${family} ${name}`))).toEqual(
      new Set(['category device phone', 'category device tablet']),
    );
    // The other way round, and the columns that were not named are left alone.
    const other = await run('other', '--models', 'images,prod');
    expect(other.json).toMatchObject({ models: [{ model: 'images' }, { model: 'prod' }] });
  });

  it('in one file are refused where a column, a value or a probability is missing or wrong', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'exposures.csv');
    const refused = async (text: string, ...words: string[]) => {
      await writeFile(path, text);
      const ran = await courier('evaluate', '--exposures', path, '--out', join(folder, 'out'), ...words);
      return `${ran.exitCode} ${ran.stderr}`;
    };
    expect(await refused('user,clicked,a\nu,1,0.5\n')).toMatch(
      /^1 .*no column page_view or time or timestamp/,
    );
    expect(await refused('user,time,clicked,a\nu,1,2,0.5\n')).toMatch(
      /1 rows of exposures.csv have a clicked that is/,
    );
    expect(await refused('user,time,clicked,a\n,1,1,0.5\n')).toMatch(/1 rows of exposures.csv have no user/);
    expect(await refused('user,time,clicked,a\nu,1,1,-3\n')).toMatch(/a that is no probability/);
    expect(await refused('user,time,clicked\nu,1,1\n')).toMatch(/no column of predictions/);
    expect(await refused('user,time,clicked,a\nu,1,1,0.5\n', '--models', 'b')).toMatch(
      /no column b; it has user/,
    );
    expect(await refused('user,time,clicked,a\nu,1,1,0.5\n', '--dataset', folder)).toMatch(
      /needs either `dataset`/,
    );
    expect(await refused('user,time,clicked,a\n')).toMatch(/^1 /);
  });
});

/** Test exposures of a dataset with what two models predict of them, as a team would have them. */
async function oneTable(folder: string, dataset: string, prod: string, images: string): Promise<string> {
  const features = join(folder, 'features.parquet');
  await writeFeatures({ dataset, features: [], out: features });
  const path = join(folder, 'one.parquet');
  const score = (name: string, file: string) =>
    `${name} AS (SELECT log_row, my_score AS ${name} FROM read_parquet(${literal(file)}))`;
  await withDuckDB([folder], (connection) =>
    connection.run(`COPY (
      WITH ${score('prod', prod)}, ${score('images', images)}
      SELECT user, page_view, clicked, prod, images, CASE WHEN hash(user) % 2 = 0 THEN 'phone' ELSE 'tablet' END AS device
      FROM read_parquet(${literal(features)}) JOIN prod USING (log_row) JOIN images USING (log_row) ORDER BY hash(log_row)
    ) TO ${literal(path)} (FORMAT parquet)`),
  );
  return path;
}

function meanOf(figure: Evaluation['rows'][number]['auc']): number {
  return known(figure)?.mean ?? Number.NaN;
}
