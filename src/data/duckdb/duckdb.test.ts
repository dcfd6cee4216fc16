import { expect, it } from 'vitest';
import { withDuckDB } from './duckdb.ts';

it('a query ends when the work is to stop', async () => {
  const stop = new AbortController();
  const endless = 'SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b';
  const work = withDuckDB(
    [],
    (connection) => {
      stop.abort();
      return connection.run(endless);
    },
    { signal: stop.signal },
  );
  await expect(work).rejects.toThrow('INTERRUPT');
  await expect(
    withDuckDB([], (connection) => connection.run(endless), { signal: stop.signal }),
  ).rejects.toThrow('abort');
});
