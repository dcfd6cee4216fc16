import { describe, expect, it } from 'vitest';
import { defined, value } from '../../../test/support/measured.ts';
import { tinyLog } from '../../../test/support/tiny-log.ts';
import { numericRows } from '../../data/counters/numeric-rows.ts';
import { type RankerRun, tableRows } from '../../evaluation/table.ts';
import { Random } from '../../random.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import type { Start } from '../../report/report.ts';
import { versusBestOther, versusOthers } from './rival.ts';

const { data } = tinyLog();
const testRows = rowsOfSplit(data, 'test');
/** With the columns that slices are made of. */
const whole = {
  ...data,
  name: 'tiny',
  exposures: {
    ...data.exposures,
    numeric: numericRows(
      ['cold', 'user_clicks_log', 'item_clicks_log', 'seen_before'],
      new Float32Array(data.exposures.item.length * 4),
    ),
  },
};

function run(source: string | null, features: string, start: Start, seed: number, skill: number): RankerRun {
  const random = Random.seeded(seed, `${source} ${features} ${start}`);
  const testScores = Float32Array.from(testRows, (row) => {
    return 1 / (1 + Math.exp(-(2 * skill * data.exposures.clicked[row]! + random.normal())));
  });
  const validationAuc = value(0.5);
  const result = { testRows, testScores, validationAuc, curve: [], steps: 1, seconds: 1, gates: [] };
  return { source, features: source === null ? null : features, start, seed, result };
}

async function compared(runs: readonly RankerRun[]) {
  const rows = await tableRows(runs, whole, { sliceBy: null });
  return { rows, found: versusBestOther(rows, runs, whole), all: versusOthers(rows, runs, whole) };
}

describe("COURIER's best row against the best of any other source", () => {
  const of = (start: Start, source: string | null, features: string, skill: number, seeds = [1, 2]) =>
    seeds.map((seed) => run(source, features, start, seed, skill));

  it('is the difference of their AUC on the seeds that both have', async () => {
    const { rows, found } = await compared([
      ...of('warm', null, '', 0.1),
      ...of('warm', 'courier', 'vector', 0.2),
      ...of('warm', 'courier', 'sim-score', 1.5),
      ...of('warm', 'hog', 'vector', 0.8),
      ...of('warm', 'random', 'vector', 0.2, [2]),
    ]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      features: 'sim-score',
      other: { source: 'hog', features: 'vector' },
      seeds: [1, 2],
    });
    const auc = (source: string, features: string) =>
      defined(rows.find((row) => row.source === source && row.features === features)?.auc).mean;
    const difference = auc('courier', 'sim-score') - auc('hog', 'vector');
    const { lift } = found[0]!;
    expect(defined(lift.difference)).toBeCloseTo(difference, 10);
    expect(defined(lift.ci95)[0]).toBeGreaterThan(0);
    expect(lift.pCorrected).toEqual(lift.p);
  });

  it('is corrected over the starts', async () => {
    const { found } = await compared(
      (['warm', 'scratch'] as const).flatMap((start) => [
        ...of(start, null, '', 0.1),
        ...of(start, 'courier', 'vector', 1.5),
        ...of(start, 'hog', 'vector', 0.2),
      ]),
    );
    expect(found.map(({ start }) => start)).toEqual(['warm', 'scratch']);
    const smallest = Math.min(...found.map(({ lift }) => defined(lift.p)));
    expect(Math.min(...found.map(({ lift }) => defined(lift.pCorrected)))).toBeCloseTo(2 * smallest, 10);
  });

  it('is left out where there is no lift to tell the best rows by', async () => {
    const clicked = whole.exposures.clicked.slice();
    for (const row of testRows) clicked[row] = 1;
    const flat = { ...whole, exposures: { ...whole.exposures, clicked } };
    const runs = [
      ...of('warm', null, '', 0.1),
      ...of('warm', 'courier', 'vector', 1),
      ...of('warm', 'hog', 'vector', 0.5),
    ];
    const rows = await tableRows(runs, flat, { sliceBy: null });
    expect(versusBestOther(rows, runs, flat)).toEqual([]);
  });

  it('is left out without another source, or without a seed in common', async () => {
    const none = of('warm', null, '', 0.1);
    const own = of('warm', 'courier', 'vector', 1, [1]);
    expect((await compared([...none, ...own])).found).toEqual([]);
    expect((await compared([...none, ...own, ...of('warm', 'hog', 'vector', 1, [2])])).found).toEqual([]);
  });
});

describe('COURIER against every other source', () => {
  it('is compared where both are fed alike and began alike, corrected for all of these', async () => {
    const { rows, all } = await compared([
      ...[1, 2].map((seed) => run(null, '', 'warm', seed, 0.1)),
      ...[1, 2].map((seed) => run('courier', 'vector', 'warm', seed, 0.2)),
      ...[1, 2].map((seed) => run('courier', 'sim-score', 'warm', seed, 1.5)),
      ...[1, 2].map((seed) => run('hog', 'vector', 'warm', seed, 0.8)),
      ...[1, 2].map((seed) => run('courier-mean-history', 'sim-score', 'warm', seed, 1.2)),
      ...[1, 2].map((seed) => run(null, '', 'scratch', seed, 0.1)),
      ...[1, 2].map((seed) => run('hog', 'vector', 'scratch', seed, 0.8)),
    ]);
    expect(all.map(({ features, other, start }) => [features, other.source, start])).toEqual([
      ['vector', 'hog', 'warm'],
      ['sim-score', 'courier-mean-history', 'warm'],
    ]);
    const auc = (source: string, features: string) =>
      defined(rows.find((row) => row.source === source && row.features === features)?.auc).mean;
    for (const { features, other, lift } of all) {
      const difference = auc('courier', features) - auc(other.source, other.features);
      expect(defined(lift.difference)).toBeCloseTo(difference, 6);
      expect(defined(lift.pCorrected)).toBeGreaterThanOrEqual(defined(lift.p));
    }
  });
});
