import { describe, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { Random } from '../random.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import type { Start } from '../report/report.ts';
import { replicatesFor, type TableCell, type TableData, tableRows } from './table.ts';

const { data } = tinyLog();
const testRows = rowsOfSplit(data, 'test');
const options = { replicates: 200, sliceBy: null };

/** The tiny log with the columns that slices are made of: every fourth item is cold, and nobody is new. */
function sliced(): TableData {
  const { exposures } = data;
  const numeric = Float32Array.from({ length: exposures.item.length * 3 }, (_, place) => {
    const item = exposures.item[Math.floor(place / 3)]!;
    const popularity = item % 4 === 0 ? 0 : Math.log1p(item % 40);
    return [item % 4 === 0 ? 1 : 0, 2, popularity][place % 3]!;
  });
  const numericNames = ['cold', 'user_clicks_log', 'item_clicks_log'];
  return { ...data, name: 'tiny', exposures: { ...exposures, numeric, numericNames } };
}

/** Scores that know the label as well as `skill` says, from 0 to 1. */
function cell(features: string | null, start: Start, seed: number, skill: number): TableCell {
  const random = Random.seeded(seed, `${features} ${start}`);
  const testScores = Float32Array.from(testRows, (row) => {
    return 1 / (1 + Math.exp(-(2 * skill * data.exposures.clicked[row]! + random.normal())));
  });
  const result = { testRows, testScores, validationAuc: 0.5, curve: [], steps: 1, seconds: 1, gates: [] };
  return { source: features === null ? null : 'courier', features, start, seed, result };
}

function table(skills: readonly (readonly [string | null, number])[], starts: readonly Start[] = ['warm']) {
  const cells = starts.flatMap((start) =>
    skills.flatMap(([features, skill]) => [1, 2].map((seed) => cell(features, start, seed, skill))),
  );
  return tableRows(cells, sliced(), options);
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
      expect(without?.lift).toBeNull();
      expect(row?.lift?.auc).toBeCloseTo(row!.auc.mean - without!.auc.mean, 10);
      expect(row?.lift?.p).toBeLessThan(0.02);
      expect(row?.lift?.pDeLong).toBeLessThan(0.001);
    }
  });

  it('corrects each p-value for all lifts, and never below what it was', async () => {
    const rows = await table([
      [null, 0.5],
      ['vector', 0.5],
      ['sim-score', 0.55],
      ['cluster-id', 1.5],
    ]);
    const lifts = rows.flatMap(({ lift }) => (lift === null ? [] : [lift]));
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
      why: expect.stringContaining('no rows'),
    });
    const families = row?.slices.filter(({ family }) => family === 'item history') ?? [];
    expect(families.reduce((sum, { exposures }) => sum + exposures, 0)).toBe(testRows.length);
    expect(without?.slices.every((slice) => slice.kind === 'undefined' || slice.lift === null)).toBe(true);
    expect(scratch?.slices).toEqual([]);
  });

  it('is given up where the work is to stop', async () => {
    const stop = new AbortController();
    const cells = [cell(null, 'warm', 1, 0.2), cell('vector', 'warm', 1, 1)];
    const endless = { ...options, replicates: 2 ** 20 };
    const stopSoon = () => setImmediate(() => setImmediate(() => stop.abort()));
    const work = tableRows(cells, sliced(), endless, { progress: stopSoon, signal: stop.signal });
    await expect(work).rejects.toThrow('abort');
  });

  it('refuses cells of different test rows', async () => {
    const other = cell('vector', 'warm', 1, 0.5);
    const short = { ...other, result: { ...other.result, testRows: testRows.slice(1) } };
    await expect(tableRows([cell(null, 'warm', 1, 0.5), short], sliced(), options)).rejects.toThrow(
      'different test rows',
    );
  });
});

describe('replicates', () => {
  it('are enough for a small p-value to be seen after correction, however many lifts there are', () => {
    for (const lifts of [1, 3, 9, 40]) {
      const smallest = 2 / (replicatesFor(null, lifts) + 1);
      expect(lifts * smallest).toBeLessThanOrEqual(0.005);
    }
    expect(replicatesFor(200, 40)).toBe(200);
  });
});
