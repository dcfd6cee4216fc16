import { describe, expect, it } from 'vitest';
import { tinyLog } from '../../test/support/tiny-log.ts';
import { noNumbers } from '../data/counters/numeric-rows.ts';
import { NONE } from '../data/dataset.ts';
import { paddingRow } from './embedding-table.ts';
import { Fields, lookupsOf, type RankerData, rowsOfSplit } from './fields.ts';
import { assignRows, rowOfText } from './vocabulary.ts';

const { data } = tinyLog();

/** Two page views of one exposure each: items 0 and 1, the second after a click on item 0. */
function twoViews(): RankerData {
  return {
    users: ['u', 'v'],
    catalogue: {
      ids: ['a', 'b'],
      photo: Int32Array.of(0, 1),
      titles: [null, null],
      categories: [{ name: 'kind', values: ['unknown', 'x', 'y'], codes: Int32Array.of(1, 2) }],
    },
    pageViews: {
      user: Int32Array.of(0, 1),
      time: Float64Array.of(0, 1),
      split: Uint8Array.of(0, 2),
      start: Int32Array.of(0, 1, 2),
      history: Int32Array.of(NONE, NONE, 0, NONE),
      historyLength: 2,
    },
    exposures: {
      item: Int32Array.of(0, 1),
      clicked: Uint8Array.of(1, 0),
      numeric: noNumbers,
      context: [{ name: 'device', values: ['unknown', 'phone'], codes: Int32Array.of(1, 0) }],
    },
  };
}

function filled(log: RankerData, fields: Fields, rows: Int32Array) {
  const lookups = new Int32Array(rows.length * lookupsOf(fields.layout)).fill(-1);
  const mask = new Float32Array(rows.length * log.pageViews.historyLength).fill(-1);
  fields.fill(rows, lookups, mask);
  return { lookups, mask };
}

describe('fields', () => {
  it('look up user, context, candidate, then history, new ids as unknown and empty places as padding', () => {
    const log = twoViews();
    const fields = new Fields(log, Int32Array.of(0), { ids: 'own', minimumCount: 1, idBuckets: null });
    // Rows: 0 padding; 1 unknown user, 2 u; 3 unknown device, 4 phone; 5 unknown item, 6 a; 7 unknown kind, 8 x.
    expect(fields.tableRows).toBe(9);
    const { lookups, mask } = filled(log, fields, Int32Array.of(0, 1));
    expect([...lookups]).toEqual([2, 4, 6, 8, 0, 0, 0, 0, 1, 3, 5, 7, 6, 8, 0, 0]);
    expect([...mask]).toEqual([0, 0, 1, 0]);
  });

  it('give users and items rows by the hash of their ids where that is asked for, new ones too', () => {
    const log = twoViews();
    const fields = new Fields(log, Int32Array.of(0), { ids: 'own', minimumCount: 1, idBuckets: 50 });
    // Rows: 0 padding; 1 no user, 2 to 51 users; 52 unknown device, 53 phone; 54 no item, 55 to 104 items; then kinds.
    const user = { first: 2, count: 50 };
    const item = { first: 55, count: 50 };
    expect([fields.user.buckets, fields.item[0]!.buckets]).toEqual([user, item]);
    expect([...fields.user.rowOf]).toEqual(['u', 'v'].map((id) => rowOfText(id, user)));
    expect([...fields.item[0]!.rowOf]).toEqual(['a', 'b'].map((id) => rowOfText(id, item)));
    expect(fields.item[1]!.unknownRow).toBe(105);
    expect(fields.tableRows).toBe(107);
  });

  it('treat history items that training never showed as unknown, not as padding', () => {
    const log = twoViews();
    const shown = { ...log, exposures: { ...log.exposures, item: Int32Array.of(1, 1) } };
    const { lookups, mask } = filled(
      shown,
      new Fields(shown, Int32Array.of(0), { ids: 'own', minimumCount: 1, idBuckets: null }),
      Int32Array.of(1),
    );
    expect([...lookups.subarray(4)]).toEqual([5, 7, paddingRow, paddingRow]);
    expect([...mask]).toEqual([1, 0]);
  });

  it('put the codes of photos last, in rows of their own, and look up zero for an item without one', () => {
    const log = twoViews();
    const codes = [{ name: 'cluster_3', count: 3, codes: Int32Array.of(2, NONE) }];
    const fields = new Fields(log, Int32Array.of(0), { ids: 'own', minimumCount: 1, idBuckets: null }, codes);
    expect(fields.tableRows).toBe(12);
    const { lookups } = filled(log, fields, Int32Array.of(0, 1));
    expect(lookupsOf(fields.layout)).toBe(11);
    expect([...lookups.subarray(0, 11)]).toEqual([2, 4, 6, 8, 0, 0, 0, 0, 11, 0, 0]);
    expect([...lookups.subarray(11)]).toEqual([1, 3, 5, 7, 6, 8, 0, 0, paddingRow, 11, paddingRow]);
  });

  it('name only rows that the table has', () => {
    const fields = new Fields(data, rowsOfSplit(data, 'train'), {
      ids: 'own',
      minimumCount: 2,
      idBuckets: null,
    });
    const all = Int32Array.from(data.exposures.item, (_, row) => row);
    const { lookups } = filled(data, fields, all);
    expect(lookups.every((row) => row >= 0 && row < fields.tableRows)).toBe(true);
  });
});

describe('a vocabulary', () => {
  it('gives a row of their own to codes that occur often enough, in the order of the codes', () => {
    const { rowOf, end } = assignRows(Int32Array.of(3, 1, 3, 0, 3, 0), 5, 2, 10);
    expect([...rowOf]).toEqual([11, 10, 10, 12, 10]);
    expect(end).toBe(13);
  });
});

describe('the rows of a split', () => {
  it('are those of its page views, and the splits share none', () => {
    const parts = (['train', 'validation', 'test'] as const).map((split) => rowsOfSplit(data, split));
    expect(parts.map((rows) => rows.length)).toEqual([3600, 800, 800]);
    expect(new Set(parts.flatMap((rows) => [...rows])).size).toBe(5200);
  });
});
