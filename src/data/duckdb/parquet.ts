/** Typed columns to a Parquet file; parquet-table.ts reads them. */
import { dirname } from 'node:path';
import { CourierError, messageOf } from '../../errors.ts';
import { type Column, registerColumns } from './columns.ts';
import { identifier, literal, withDuckDB } from './duckdb.ts';
import { chunkRows } from './duckdb-vectors.ts';

/** Rows of a row group, which is put together in memory: DuckDB's own number, fewer where vectors are long. */
const [mostGroupRows, groupBytes] = [122_880, 2 ** 22];

/**
 * Writes equally long columns, a chunk of rows at a time: there is no second copy of them. The same columns give the
 * same bytes.
 * @param metadata texts that are kept in the file beside the columns
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeParquet(
  path: string,
  columns: readonly Column[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withDuckDB([dirname(path)], async (connection) => {
    registerColumns(connection, 'written', columns);
    const options = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows(columns)}`;
    await connection
      .run(`COPY (SELECT * FROM written()) TO ${literal(path)} (${options}${keyValues(metadata)})`)
      .catch((error: unknown) => {
        throw new CourierError(
          'OUTPUT_NOT_WRITABLE',
          `Cannot write ${path}: ${messageOf(error)}`,
          'Make room and permission there; then run the same command again.',
          { cause: error },
        );
      });
  });
}

function groupRows(columns: readonly Column[]): number {
  const width = columns.reduce(
    (sum, { type, values }) => sum + (type === 'FLOAT[]' || type === 'TINYINT[]' ? values.dimension : 0),
    0,
  );
  const chunks = Math.floor(groupBytes / (4 * width * chunkRows));
  return Math.min(mostGroupRows, Math.max(1, chunks) * chunkRows);
}

function keyValues(metadata: Readonly<Record<string, string>>): string {
  const entries = Object.entries(metadata).map(([key, value]) => `${identifier(key)}: ${literal(value)}`);
  return entries.length === 0 ? '' : `, KV_METADATA {${entries.join(', ')}}`;
}
