import { describe, expect, it } from 'vitest';
import { defined, gap, value } from '../../test/support/measured.ts';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { numericRows } from '../data/counters/numeric-rows.ts';
import { pageViewOfRows } from '../data/dataset.ts';
import { Random } from '../random.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import type { Start } from '../report/report.ts';
import { type RankerRun, type TableData, tableRows } from './table.ts';

const { data } = tinyLog();
const testRows = rowsOfSplit(data, 'test');
const options = { sliceBy: null };

/** The tiny log with the columns that slices are made of: every fourth item is cold, and nobody is new. */
function sliced(): TableData {
  const { exposures } = data;
  const values = Float32Array.from({ length: exposures.item.length * 4 }, (_, place) => {
    const item = exposures.item[Math.floor(place / 4)]!;
    const popularity = item % 4 === 0 ? 0 : Math.log1p(item % 40);
    return [item % 4 === 0 ? 1 : 0, 2, popularity, 0][place % 4]!;
  });
  const numeric = numericRows(['cold', 'user_clicks_log', 'item_clicks_log', 'seen_before'], values);
  return { ...data, name: 'tiny', exposures: { ...exposures, numeric } };
}

/** Scores that know the label as well as `skill` says, from 0 to 1. */
function run(features: string | null, start: Start, seed: number, skill: number): RankerRun {
  const random = Random.seeded(seed, `${features} ${start}`);
  const testScores = Float32Array.from(testRows, (row) => {
    return 1 / (1 + Math.exp(-(2 * skill * data.exposures.clicked[row]! + random.normal())));
  });
  const validationAuc = value(0.5);
  const result = { testRows, testScores, validationAuc, curve: [], steps: 1, seconds: 1, gates: [] };
  return { source: features === null ? null : 'courier', features, start, seed, result };
}

/** The table of two rows where the user alone decides whether an exposure of the test period is clicked. */
function relabelled(labelOf: (user: number) => number) {
  const whole = sliced();
  const pageViewOf = pageViewOfRows(whole);
  const clicked = whole.exposures.clicked.slice();
  for (const row of testRows) clicked[row] = labelOf(whole.pageViews.user[pageViewOf[row]!]!);
  const runs = [null, 'vector'].flatMap((features) => [1, 2].map((seed) => run(features, 'warm', seed, 0.5)));
  return tableRows(runs, { ...whole, exposures: { ...whole.exposures, clicked } }, options);
}

function table(skills: readonly (readonly [string | null, number])[], starts: readonly Start[] = ['warm']) {
  const runs = starts.flatMap((start) =>
    skills.flatMap(([features, skill]) => [1, 2].map((seed) => run(features, start, seed, skill))),
  );
  return tableRows(runs, sliced(), options);
}

describe('the table', () => {
  it('compares each row with the row without images that had the same start', async () => {
    const rows = await table(
      [
        [null, 0.2],
        ['vector', 1],
      ],
      ['warm', 'scratch'],
    );
    expect(rows.map(({ start, features }) => [start, features])).toEqual([
      ['warm', 'none'],
      ['warm', 'vector'],
      ['scratch', 'none'],
      ['scratch', 'vector'],
    ]);
    for (const [without, row] of [rows.slice(0, 2), rows.slice(2)]) {
      expect(without?.lifts).toBeNull();
      const difference = defined(row?.auc).mean - defined(without?.auc).mean;
      expect(defined(row?.lifts?.auc.difference)).toBeCloseTo(difference, 10);
      expect(defined(row?.lifts?.auc.p)).toBeLessThan(0.05);
    }
  });

  it('corrects each p-value for all lifts, and never below what it was', async () => {
    const rows = await table([
      [null, 0.5],
      ['vector', 0.5],
      ['sim-score', 0.55],
      ['cluster-id', 1.5],
    ]);
    const lifts = rows.flatMap(({ lifts }) =>
      lifts === null ? [] : [{ p: defined(lifts.auc.p), pCorrected: defined(lifts.auc.pCorrected) }],
    );
    expect(lifts).toHaveLength(3);
    for (const { p, pCorrected } of lifts) expect(pCorrected).toBeGreaterThanOrEqual(p);
    const smallest = lifts.toSorted((a, b) => a.p - b.p)[0]!;
    expect(smallest.pCorrected).toBeCloseTo(Math.min(1, 3 * smallest.p), 10);
  });

  it('measures slices of warm rows, and shows one that cannot be measured as a gap with its reason', async () => {
    const [without, row, scratch] = await table(
      [
        [null, 0.2],
        ['vector', 1],
      ],
      ['warm', 'scratch'],
    );
    const named = (name: string) => row?.slices.find((slice) => slice.name === name);
    expect(named('cold')).toMatchObject({
      kind: 'value',
      family: 'item history',
      lift: { p: expect.any(Number) },
    });
    expect(named('new')).toMatchObject({
      kind: 'undefined',
      exposures: 0,
      why: 'AUC is undefined: too few here, 0 clicks and 0 others, where 50 of each are asked for.',
    });
    const families = row?.slices.filter(({ family }) => family === 'item history') ?? [];
    expect(families.reduce((sum, { exposures }) => sum + exposures, 0)).toBe(testRows.length);
    expect(without?.slices.every((slice) => slice.kind === 'undefined' || slice.lift === null)).toBe(true);
    expect(scratch?.slices).toEqual([]);
  });

  it('is given up where the work is to stop', async () => {
    const stop = new AbortController();
    const runs = [run(null, 'warm', 1, 0.2), run('vector', 'warm', 1, 1)];
    const progress = () => stop.abort();
    const work = tableRows(runs, sliced(), options, { progress, signal: stop.signal });
    await expect(work).rejects.toThrow('abort');
  });

  it('has gaps for GAUC and NDCG where no user has both classes, and everything else', async () => {
    const rows = await relabelled((user) => user % 2);
    for (const { gauc, lifts, slices, ...row } of rows) {
      expect(gauc).toMatchObject({
        kind: 'undefined',
        why: expect.stringMatching(/^GAUC is undefined: none of \d+ groups holds both/),
      });
      const { auc, logLoss, calibration, ndcg } = row;
      for (const figure of [auc, logLoss, calibration]) expect(figure.kind).toBe('value');
      expect(ndcg).toEqual(gap(expect.stringContaining('page views has both a click')));
      if (lifts === null) continue;
      expect([lifts.auc.pCorrected.kind, lifts.logLoss.p.kind]).toEqual(['value', 'value']);
      for (const { difference, p } of [lifts.gauc, lifts.ndcg]) {
        expect([difference.kind, p.kind]).toEqual(['undefined', 'undefined']);
      }
      expect(slices.some(({ kind }) => kind === 'value')).toBe(true);
    }
  });

  it('has no AUC and no lift where every exposure is clicked, but what one class defines', async () => {
    const why = 'AUC is undefined: every row is clicked.';
    const [without, row] = await relabelled(() => 1);
    for (const each of [without, row]) {
      expect([each?.auc, each?.gauc.kind]).toEqual([gap(why), 'undefined']);
      expect([each?.logLoss, each?.calibration, each?.ndcg].map((figure) => figure?.kind)).toEqual([
        'value',
        'value',
        'undefined',
      ]);
    }
    expect(without?.lifts).toBeNull();
    expect(row?.lifts?.auc).toMatchObject({ difference: gap(why), pCorrected: { kind: 'undefined' } });
    expect(row?.slices.every(({ kind }) => kind === 'undefined')).toBe(true);
  });

  it('has no calibration and no NDCG where nothing is clicked', async () => {
    const [row] = await relabelled(() => 0);
    expect(row).toMatchObject({
      logLoss: { kind: 'value' },
      calibration: gap('Calibration is undefined: no row is clicked.'),
      ndcg: { kind: 'undefined', why: expect.stringContaining('page views has both a click') },
    });
  });

  it('tells which validation AUC chose the weights, and why none did', async () => {
    const gapped = run('vector', 'warm', 1, 0.5);
    const why = 'AUC is undefined: no row is clicked.';
    const unchosen = { ...gapped, result: { ...gapped.result, validationAuc: gap(why) } };
    const rows = await tableRows([run(null, 'warm', 1, 0.5), unchosen], sliced(), options);
    expect(rows.map(({ validationAuc }) => validationAuc)).toEqual([
      value({ mean: 0.5, std: null }),
      gap(why),
    ]);
  });

  it('refuses runs of different test rows', async () => {
    const other = run('vector', 'warm', 1, 0.5);
    const short = { ...other, result: { ...other.result, testRows: testRows.slice(1) } };
    await expect(tableRows([run(null, 'warm', 1, 0.5), short], sliced(), options)).rejects.toThrow(
      'different test rows',
    );
  });
});
