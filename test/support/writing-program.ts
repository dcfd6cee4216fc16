/** Writes a table again and again, until it is stopped: a thread of DuckDB's nearly always waits for this one. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopWhenAsked } from '../../src/cli/stop.ts';
import { writeParquet } from '../../src/data/duckdb/parquet.ts';

stopWhenAsked(process.stderr);
const path = join(await mkdtemp(join(tmpdir(), 'courier-')), 'table.parquet');
const values = new Float32Array(1_000_000);
const columns = Array.from({ length: 20 }, (_, place) => ({
  name: `c${place}`,
  type: 'FLOAT' as const,
  values,
}));
process.stdout.write('ready\n');
for (;;) await writeParquet(path, columns);
