import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { literal, withDuckDB } from '../../src/data/duckdb/duckdb.ts';
import { loadDataset } from '../../src/data/store.ts';
import { ingest } from '../../src/pipelines/ingest/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

const page = fileURLToPath(new URL('../../docs/scale.md', import.meta.url));

/** Functions of the engines that DuckDB does not have. Their hashes are others: here the number in the user's name. */
const macros = [
  "numberOf(id) AS CAST(replace(id, 'u', '') AS BIGINT)",
  'unix_millis(t) AS epoch_ms(t)',
  'xxhash64(id) AS numberOf(id)',
  'farm_fingerprint(id) AS numberOf(id)',
  'pmod(a, b) AS ((a % b) + b) % b',
  'to_unixtime(t) AS epoch(t)',
  'to_utf8(id) AS id',
  'from_big_endian_64(hash) AS hash',
];

/** 200 users with ten requests of three items each; the first item of each is clicked twice, 5 and 9 seconds later. */
const tables = [
  `CREATE TABLE impressions AS
   SELECT 'u' || u AS user_id, 'r' || u || '-' || r AS request_id, 'i' || (u % 7 + place) AS item_id,
     TIMESTAMP '2026-03-01' + to_hours(r * 24) + to_seconds(u) AS shown_at, 9.5 + place AS price
   FROM range(1, 201) users(u), range(10) requests(r), range(3) places(place)`,
  `CREATE TABLE clicks AS
   SELECT request_id, item_id, shown_at + to_seconds(later) AS clicked_at
   FROM impressions, (VALUES (9), (5)) AS delays(later) WHERE price = 9.5`,
];

async function queries(): Promise<Readonly<Record<string, string>>> {
  const blocks = (await readFile(page, 'utf8')).matchAll(/```sql\n-- (\w+)[^\n]*\n([^`]*)```/g);
  return Object.fromEntries(
    [...blocks].map(([, engine = '', statement = '']) => [
      engine,
      statement.slice(statement.indexOf('SELECT')),
    ]),
  );
}

it('what Spark, Trino and BigQuery are told to write is one log, of all exposures of some users, that ingest takes', async () => {
  const folder = await temporaryFolder();
  const logs = await queries();
  expect(Object.keys(logs)).toEqual(['Spark', 'Trino', 'BigQuery']);
  const fileOf = (engine: string) => join(folder, `${engine}.parquet`);
  const rows = await withDuckDB([folder], async (connection) => {
    for (const macro of macros) await connection.run(`CREATE MACRO ${macro}`);
    for (const table of tables) await connection.run(table);
    const all: unknown[] = [];
    for (const [engine, query] of Object.entries(logs)) {
      await connection.run(`COPY (${query}) TO ${literal(fileOf(engine))} (FORMAT parquet)`);
      const read = await connection.runAndReadAll(`SELECT * FROM (${query}) ORDER BY ALL`);
      all.push(read.getRowObjectsJson());
    }
    return all;
  });
  expect(rows[0]).toHaveLength(2 * 10 * 3);
  expect(rows[0]).toContainEqual({
    user_id: 'u100',
    page_view: 'r100-0',
    item_id: 'i2',
    shown_at: String(Date.UTC(2026, 2, 1, 0, 1, 40)),
    clicked: 1,
    clicked_at: String(Date.UTC(2026, 2, 1, 0, 1, 45)),
    price: '9.5',
  });
  expect(rows[1]).toEqual(rows[0]);
  expect(rows[2]).toEqual(rows[0]);
  for (const engine of Object.keys(logs)) {
    const out = join(folder, engine);
    const log = {
      path: fileOf(engine),
      user: 'user_id',
      pageView: 'page_view',
      item: 'item_id',
      time: 'shown_at',
      clicked: 'clicked',
      clickedAt: 'clicked_at',
      numeric: ['price'],
    };
    await ingest({ source: 'table', log, out });
    const { exposures, images, pageViews } = await loadDataset(out);
    images.close();
    expect([pageViews.user.length, exposures.clicked.length]).toEqual([20, 60]);
    expect(Array.from(exposures.clicked).filter((clicked) => clicked === 1)).toHaveLength(20);
  }
});
