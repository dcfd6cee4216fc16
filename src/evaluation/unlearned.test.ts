import { expect, it } from 'vitest';
import { gap, value } from '../../test/support/measured.ts';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { numericRows } from '../data/counters/numeric-rows.ts';
import { auc } from '../metrics/auc.ts';
import { summarise } from '../metrics/summary.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import { unlearnedColumns, unlearnedRows } from './unlearned.ts';

const { data } = tinyLog();
const testRows = rowsOfSplit(data, 'test');

/** The tiny log with these base features alone. */
function withColumns(columns: Readonly<Record<string, (row: number) => number>>) {
  const names = Object.keys(columns);
  const values = [...data.exposures.item.keys()].flatMap((row) => names.map((name) => columns[name]!(row)));
  const numeric = numericRows(names, Float32Array.from(values));
  return { ...data, name: 'tiny', exposures: { ...data.exposures, numeric } };
}

it('a row without learning has the sum of the smoothed rates of item and user, which is no probability', () => {
  const dataset = withColumns({
    noise: (row) => -row,
    item_rate: (row) => row % 7,
    user_rate: (row) => row % 3,
  });
  expect(unlearnedColumns(dataset)).toEqual(['item_rate', 'user_rate']);
  const scores = testRows.map((row) => (row % 7) + (row % 3));
  const labels = Uint8Array.from(testRows, (row) => data.exposures.clicked[row]!);
  const expected = value(summarise([auc(Float32Array.from(scores), labels)]));
  const rows = unlearnedRows(dataset, testRows, ['warm', 'scratch']);
  expect(rows.map(({ start }) => start)).toEqual(['warm', 'scratch']);
  for (const row of rows) {
    expect(row).toMatchObject({ features: 'without-learning', source: null, lifts: null, seeds: [] });
    expect(row.auc).toEqual(expected);
    expect(row.logLoss).toEqual(gap('Base features added up are no probabilities.'));
    expect(row.ndcg.kind).toBe('value');
  }
});

it('a row without learning has popularity where exposures are not known, and is not there where that is not either', () => {
  expect(unlearnedColumns(withColumns({ item_clicks_log: (row) => row }))).toEqual(['item_clicks_log']);
  expect(unlearnedRows(withColumns({ price: (row) => row }), testRows, ['warm'])).toEqual([]);
});
