/** DuckDB in memory, shut off from everything but the folders a task needs. The one home of SQL quoting. */
import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api';

export interface DuckDBOptions {
  /** Ends the query under way. */
  readonly signal?: AbortSignal | undefined;
  /** Files that it can reach beside the folders. */
  readonly files?: readonly string[];
  /** A folder for what does not fit into its share of memory; without it all has to fit. */
  readonly spill?: string;
}

/** What a database takes of the memory before it spills. */
const spillingFrom = Math.min(2 ** 31, totalmem() / 4);

/** Runs a task on a database of its own that can reach only the given folders and files: no network, no extensions. */
export async function withDuckDB<T>(
  folders: readonly string[],
  task: (connection: DuckDBConnection) => Promise<T>,
  { signal, files = [], spill }: DuckDBOptions = {},
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  let interrupting: NodeJS.Timeout | undefined;
  // Again and again: DuckDB forgets an interrupt that comes before its query has begun.
  const interrupt = () => {
    interrupting = setInterval(() => connection.interrupt(), 20);
  };
  signal?.addEventListener('abort', interrupt);
  try {
    signal?.throwIfAborted();
    // DuckDB asks whether it may read a path before it sees that what looks like a pattern is spelled as none.
    const spelled = (paths: readonly string[]) =>
      paths.flatMap((path) => [literal(resolve(path)), fileLiteral(path)]).join(', ');
    await connection.run(`SET allowed_directories = [${spelled(folders)}]`);
    await connection.run(`SET allowed_paths = [${spelled(files)}]`);
    if (spill !== undefined) {
      await connection.run(`SET temp_directory = ${literal(resolve(spill))}`);
      await connection.run(`SET memory_limit = '${Math.floor(spillingFrom / 2 ** 20)}MiB'`);
    }
    // Times without an offset are UTC, wherever this runs.
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
    return await task(connection);
  } finally {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(interrupting);
    connection.closeSync();
    instance.closeSync();
  }
}

export interface SqlColumn {
  readonly name: string;
  /** As DuckDB names it. */
  readonly type: string;
}

/**
 * The columns of what may stand after FROM, or of expressions over it. What comes from outside has to go through here before it
 * runs: nothing but a single SELECT is described, and that writes nothing.
 * @throws Error of DuckDB, or where it is not one SELECT
 */
export async function describeSelect(
  connection: DuckDBConnection,
  relation: string,
  expressions = '*',
): Promise<readonly SqlColumn[]> {
  const select = `SELECT ${expressions} FROM ${relation}`;
  const statements = await connection.extractStatements(select);
  if (statements.count !== 1) throw new Error('it is more than one statement');
  const { statementType } = await statements.prepare(0);
  if (statementType !== StatementType.SELECT) throw new Error('it is no SELECT');
  const described = await connection.runAndReadAll(`DESCRIBE ${select}`);
  return described.getRows().map(([name, type]) => ({ name: String(name), type: String(type) }));
}

/** A name as an SQL identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The same for people to type: quoted only where it has to be. */
export function nameInSql(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) || /[()'"\s]/.test(name) ? name : identifier(name);
}

/** A text as an SQL string literal. DuckDB knows no backslash escapes in it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The path of one file as an SQL literal for a reader function, which would expand `*`, `?` and `[`. */
export function fileLiteral(path: string): string {
  return literal(resolve(path).replace(/[*?[]/g, '[$&]'));
}
