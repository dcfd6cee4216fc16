import { describe, expect, it } from 'vitest';
import { tinyLog } from '../../../test/support/tiny-log.ts';
import { type TableCell, tableRows } from '../../evaluation/table.ts';
import { Random } from '../../random.ts';
import { rowsOfSplit } from '../../rankers/fields.ts';
import type { Start } from '../../report/report.ts';
import { versusBestOther } from './rival.ts';

const { data } = tinyLog();
const testRows = rowsOfSplit(data, 'test');
/** With the columns that slices are made of. */
const whole = {
  ...data,
  name: 'tiny',
  exposures: {
    ...data.exposures,
    numeric: new Float32Array(data.exposures.item.length * 3),
    numericNames: ['cold', 'user_clicks_log', 'item_clicks_log'],
  },
};

function cell(source: string | null, features: string, start: Start, seed: number, skill: number): TableCell {
  const random = Random.seeded(seed, `${source} ${features} ${start}`);
  const testScores = Float32Array.from(testRows, (row) => {
    return 1 / (1 + Math.exp(-(2 * skill * data.exposures.clicked[row]! + random.normal())));
  });
  const result = { testRows, testScores, validationAuc: 0.5, curve: [], steps: 1, seconds: 1, gates: [] };
  return { source, features: source === null ? null : features, start, seed, result };
}

async function compared(cells: readonly TableCell[]) {
  const rows = await tableRows(cells, whole, { replicates: 200, sliceBy: null });
  return { rows, found: await versusBestOther(rows, cells, whole, 200) };
}

describe("COURIER's best row against the best of any other source", () => {
  const of = (start: Start, source: string | null, features: string, skill: number, seeds = [1, 2]) =>
    seeds.map((seed) => cell(source, features, start, seed, skill));

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
      other: { objective: 'hog', features: 'vector' },
      seeds: [1, 2],
    });
    const auc = (objective: string, features: string) =>
      rows.find((row) => row.objective === objective && row.features === features)!.auc.mean;
    const difference = auc('courier', 'sim-score') - auc('hog', 'vector');
    expect(found[0]?.lift.auc).toBeCloseTo(difference, 10);
    expect(found[0]?.lift.ci95[0]).toBeGreaterThan(0);
    expect(found[0]?.lift.pCorrected).toBe(found[0]?.lift.p);
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
    const smallest = Math.min(...found.map(({ lift }) => lift.p));
    expect(Math.min(...found.map(({ lift }) => lift.pCorrected))).toBeCloseTo(2 * smallest, 10);
  });

  it('is left out without another source, or without a seed in common', async () => {
    const none = of('warm', null, '', 0.1);
    const own = of('warm', 'courier', 'vector', 1, [1]);
    expect((await compared([...none, ...own])).found).toEqual([]);
    expect((await compared([...none, ...own, ...of('warm', 'hog', 'vector', 1, [2])])).found).toEqual([]);
  });
});
