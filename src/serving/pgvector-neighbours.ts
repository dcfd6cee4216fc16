/** Neighbours in PostgreSQL with pgvector, for shops that have one and search it for more than this. */
import { createHash } from 'node:crypto';
import { Client, escapeIdentifier, Pool } from 'pg';
import { z } from 'zod';
import { CourierError, messageOf } from '../errors.ts';
import type { LiveCatalogue } from './catalogue.ts';
import type { ServingManifest } from './format.ts';
import { bestOf, graphSettings, type NearItem, type Neighbours, oversampling } from './neighbours.ts';

/** The part of a catalogue that is kept. */
export type KeptCatalogue = Pick<
  LiveCatalogue,
  'dimension' | 'vectors' | 'present' | 'vectorOf' | 'ids' | 'find'
>;

/** Numbers of an embedding that pgvector indexes at most. */
const dimensionLimit = 2000;

/** The first version that goes on searching until it has as many as are wanted. */
const oldestVersion = [0, 8] as const;

/** Rows of one statement. */
const rowsAtATime = 500;

/** Milliseconds until an answer that does not come is an error. */
const patience = { connectionTimeoutMillis: 5000, query_timeout: 10_000 } as const;

const foundRows = z.array(z.object({ item: z.string() }));
const versionRows = z.array(z.object({ extversion: z.string() }));
const tableRows = z.tuple([z.object({ is_there: z.boolean() })]);

/** The table of an export: other items or other embeddings lie in another. @param prefix tells services with states of their own apart */
export function tableOf(prefix: string, { files }: Pick<ServingManifest, 'files'>): string {
  const hashes = Object.entries(files).map(([name, { sha256 }]) => `${name} ${sha256}`);
  const key = createHash('sha256').update(hashes.sort().join('\n')).digest('hex');
  return `${prefix}_neighbours_${key.slice(0, 16)}`;
}

export class PgvectorNeighbours implements Neighbours {
  readonly kind = 'pgvector';
  readonly #catalogue: KeptCatalogue;
  readonly #pool: Pool;
  readonly #table: string;
  readonly #host: string;
  /** Items that the table does not know as they are. */
  readonly #changed = new Set<number>();
  #written: Promise<void> = Promise.resolve();

  private constructor(catalogue: KeptCatalogue, pool: Pool, table: string, host: string) {
    this.#catalogue = catalogue;
    this.#pool = pool;
    this.#table = escapeIdentifier(table);
    this.#host = host;
  }

  /**
   * Opens the table of an export, and fills and indexes it where it is not there yet.
   * @param url `postgres://…`; `?prefix=shop` tells services with states of their own apart
   * @throws CourierError CONFIG_INVALID for another address, for embeddings that pgvector does not index, and where it is missing or
   * old; STATE_UNAVAILABLE where nobody answers
   */
  static async open(
    url: string,
    catalogue: KeptCatalogue,
    manifest: Pick<ServingManifest, 'files'>,
  ): Promise<PgvectorNeighbours> {
    const { connectionString, prefix, host } = addressOf(url);
    if (catalogue.dimension > dimensionLimit)
      throw unusable(
        `embeddings have ${catalogue.dimension} numbers, and pgvector indexes at most ${dimensionLimit}`,
        'Leave `neighbours` out, or export embeddings of a smaller dimension.',
      );
    const table = tableOf(prefix, manifest);
    const client = new Client({
      connectionString,
      connectionTimeoutMillis: patience.connectionTimeoutMillis,
    });
    client.on('error', () => {});
    try {
      await reached(host, () => client.connect());
      await requireExtension(client, host);
      await reached(host, () => build(client, table, catalogue));
    } finally {
      await client.end().catch(() => {});
    }
    const pool = new Pool({ connectionString, ...patience, max: 4, onConnect: prepare });
    // Whoever asks next is told; without a listener the process would end.
    pool.on('error', () => {});
    return new PgvectorNeighbours(catalogue, pool, table, host);
  }

  /** The table is told when it is asked next, so that a log is read on where PostgreSQL does not answer. */
  update(item: number): void {
    this.#changed.add(item);
  }

  /** @throws CourierError STATE_UNAVAILABLE where nobody answers */
  async nearest(vector: Float32Array, most: number, but: number): Promise<readonly NearItem[]> {
    const { present, ids } = this.#catalogue;
    const rows = await reached(this.#host, async () => {
      await this.#write();
      const text = `SELECT item FROM ${this.#table} ORDER BY embedding <=> $1 LIMIT $2`;
      const values = [textOf(vector), Math.min(oversampling * (most + 1), ids.length)];
      return foundRows.parse((await this.#pool.query(text, values)).rows);
    });
    // Another replica may have read further, or not as far: what is known here counts.
    const items = rows.map(({ item }) => this.#catalogue.find(item));
    const known = items.filter((item) => present[item] === 1 && item !== but);
    return bestOf(
      known.sort((a, b) => a - b),
      this.#catalogue,
      vector,
      most,
    );
  }

  async release(): Promise<void> {
    await this.#pool.end();
  }

  /** One writing after the other, so that whoever asks has waited for what others write. */
  #write(): Promise<void> {
    this.#written = this.#written.catch(() => {}).then(() => this.#writeChanged());
    return this.#written;
  }

  async #writeChanged(): Promise<void> {
    while (this.#changed.size > 0) {
      const items = [...this.#changed].slice(0, rowsAtATime);
      for (const item of items) this.#changed.delete(item);
      try {
        await this.#put(items);
      } catch (error) {
        for (const item of items) this.#changed.add(item);
        throw error;
      }
    }
  }

  async #put(items: readonly number[]): Promise<void> {
    const { present, ids } = this.#catalogue;
    const gone = items.filter((item) => present[item] !== 1).map((item) => ids[item]);
    if (gone.length > 0) await this.#pool.query(`DELETE FROM ${this.#table} WHERE item = ANY($1)`, [gone]);
    const there = items.filter((item) => present[item] === 1);
    if (there.length > 0) await this.#pool.query(insertion(this.#table), rowsOf(this.#catalogue, there));
  }
}

function addressOf(url: string): { connectionString: string; prefix: string; host: string } {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol))
    throw unusable(
      '`neighbours` is no address of PostgreSQL',
      'Write postgres://user:password@host:5432/database.',
    );
  const prefix = parsed.searchParams.get('prefix') ?? 'courier';
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(prefix))
    throw unusable(
      'the prefix of `neighbours` is no name of a table',
      'Use small letters, digits and underscores, 31 at most.',
    );
  parsed.searchParams.delete('prefix');
  return { connectionString: parsed.href, prefix, host: parsed.host };
}

/** As thoroughly as in a graph of ours, and on until there are as many as are wanted. */
async function prepare(client: { query(text: string): Promise<unknown> }): Promise<void> {
  await client.query(`SET hnsw.ef_search = ${graphSettings.expansion_search}`);
  await client.query('SET hnsw.iterative_scan = strict_order');
}

async function requireExtension(client: Client, host: string): Promise<void> {
  const missing = (problem: string) =>
    unusable(
      `PostgreSQL at ${host} has no pgvector of version ${oldestVersion.join('.')} or later: ${problem}`,
      'Install it and run CREATE EXTENSION vector in the database, or leave `neighbours` out.',
    );
  const find = async () => {
    const found = await client.query("SELECT extversion FROM pg_extension WHERE extname = 'vector'");
    return versionRows.parse(found.rows)[0]?.extversion;
  };
  let version = await reached(host, find);
  if (version === undefined) {
    await client.query('CREATE EXTENSION IF NOT EXISTS vector').catch((error: unknown) => {
      throw missing(messageOf(error));
    });
    version = await reached(host, find);
  }
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const [leastMajor, leastMinor] = oldestVersion;
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) throw missing(`it has ${version}`);
}

/** All of it or nothing, by whichever replica comes first. */
async function build(client: Client, table: string, catalogue: KeptCatalogue): Promise<void> {
  const name = escapeIdentifier(table);
  await client.query('BEGIN');
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [table]);
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS is_there', [name]);
  if (!tableRows.parse(rows)[0].is_there) {
    const { connectivity, expansion_add: expansion } = graphSettings;
    await client.query(
      `CREATE TABLE ${name} (item text PRIMARY KEY, embedding vector(${catalogue.dimension}) NOT NULL)`,
    );
    const items = Array.from(catalogue.ids.keys()).filter((item) => catalogue.present[item] === 1);
    for (let first = 0; first < items.length; first += rowsAtATime)
      await client.query(insertion(name), rowsOf(catalogue, items.slice(first, first + rowsAtATime)));
    await client.query(
      `CREATE INDEX ON ${name} USING hnsw (embedding vector_cosine_ops) WITH (m = ${connectivity}, ef_construction = ${expansion})`,
    );
  }
  await client.query('COMMIT');
}

function insertion(table: string): string {
  return `INSERT INTO ${table} (item, embedding) SELECT * FROM unnest($1::text[], $2::vector[])
    ON CONFLICT (item) DO UPDATE SET embedding = excluded.embedding`;
}

function rowsOf(catalogue: KeptCatalogue, items: readonly number[]): [string[], string[]] {
  return [items.map((item) => catalogue.ids[item]!), items.map((item) => textOf(catalogue.vectorOf(item)))];
}

function textOf(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}

async function reached<T>(host: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new CourierError(
      'STATE_UNAVAILABLE',
      `The neighbours in PostgreSQL at ${host} cannot be reached: ${messageOf(error)}`,
      'Check that PostgreSQL runs, its address, and that tables may be made there; then ask again.',
      { cause: error },
    );
  }
}

function unusable(problem: string, remedy: string): CourierError {
  return new CourierError('CONFIG_INVALID', `Neighbours cannot be kept in PostgreSQL: ${problem}.`, remedy);
}
