/** Files of predictions as SQL. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { describeSelect, fileLiteral } from '../../data/duckdb/duckdb.ts';
import { CourierError, messageOf } from '../../errors.ts';

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;

/** Whether a column of this type holds numbers. */
export function isNumeric(type: string): boolean {
  return numeric.test(type);
}

/**
 * A Parquet or CSV file as what is selected from.
 * @throws CourierError FILE_CORRUPT where it cannot be read
 */
export async function sourceOf(connection: DuckDBConnection, path: string): Promise<string> {
  const source = /\.(csv|tsv)(\.gz|\.zst)?$/i.test(path)
    ? `read_csv(${fileLiteral(path)}, header = true)`
    : `read_parquet(${fileLiteral(path)})`;
  try {
    await describeSelect(connection, source);
    return source;
  } catch (error) {
    throw new CourierError(
      'FILE_CORRUPT',
      `${path} cannot be read: ${messageOf(error).split('\n', 1)[0]}`,
      'Give a Parquet or CSV file with a row for each exposure.',
      { cause: error },
    );
  }
}
