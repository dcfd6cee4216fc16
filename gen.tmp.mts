import { withDuckDB } from './src/data/duckdb.ts';
const n = Number(process.argv[2]);
await withDuckDB(['/tmp/big'], async (c) => {
  await c.run(`COPY (SELECT 'u' || (hash(v) % 200000) AS user, 'i' || CAST(floor(pow((hash(i*3+1) % 1000003)/1000003.0, 2) * 100000) AS INTEGER) AS item,
   strftime(make_timestamp(1704067200000000 + v * 2592000000000 // (${n}//5)), '%Y-%m-%d %H:%M:%S.%g') AS time, CASE WHEN hash(i*7+5) % 10 = 0 THEN 1 ELSE 0 END AS clicked, v AS view, (hash(i*11) % 10000)/100.0 AS price, CASE WHEN hash(v*13) % 2 = 0 THEN 'phone' ELSE 'web' END AS device
   FROM (SELECT i, i // 5 AS v FROM range(${n}) r(i))) TO '/tmp/big/log${n}.parquet' (FORMAT parquet)`);
  await c.run(`COPY (SELECT * FROM '/tmp/big/log${n}.parquet') TO '/tmp/big/log${n}.csv' (HEADER true)`);
});
