/** Which row of the embedding table an id has: as a Parquet file of texts, and as what a server looks up. */

import { dirname } from 'node:path';
import { type CategoricalColumn, NONE } from '../data/dataset.ts';
import { fileLiteral, withDuckDB } from '../data/duckdb/duckdb.ts';
import { writeParquet } from '../data/duckdb/parquet.ts';
import { readParquet } from '../data/duckdb/parquet-table.ts';
import type { ItemCodes } from '../data/embeddings/clusters.ts';
import { LargeMap } from '../large-map.ts';
import { paddingRow } from './embedding-table.ts';
import { textOf } from './exposure.ts';
import type { Field, Fields, RankerData } from './fields.ts';
import { type Buckets, rowOfText } from './vocabulary.ts';

/** Ids in one file at most: they are all held in memory. */
const idLimit = 2 ** 26;

/** The ids of a field that has a vocabulary. */
export interface KnownRows {
  readonly kind: 'known';
  /** The row of every id that training did not show often enough, and of all that it did not show. */
  readonly unknown: number;
  /** The row of an exposure without a value. */
  readonly missing: number;
  /** Rows of the others. */
  readonly known: LargeMap<string, number>;
}

/** The ids of a field in which every text has a row by its hash. */
export interface HashedRows {
  readonly kind: 'hashed';
  readonly missing: number;
  readonly buckets: Buckets;
}

/** The ids of one field. */
export type IdRows = KnownRows | HashedRows;

export function rowOfId(rows: IdRows, id: string | null): number {
  if (id === null) return rows.missing;
  return rows.kind === 'hashed' ? rowOfText(id, rows.buckets) : (rows.known.get(id) ?? rows.unknown);
}

/** The ids of every field, in the order of the lookups: user, context, item, categories, codes. */
export function idRowsOf(
  { user, context, item, visual }: Fields,
  data: RankerData,
  codes: readonly ItemCodes[],
): readonly IdRows[] {
  const { catalogue, users, exposures } = data;
  const [byItem, ...byCategory] = item;
  return [
    rowsOf(user, (code) => users[code]!),
    ...context.map((field, index) => rowsOf(field, textsAt(exposures.context[index]!))),
    rowsOf(byItem!, (code) => catalogue.ids[code]!),
    ...byCategory.map((field, index) => rowsOf(field, textsAt(catalogue.categories[index]!))),
    ...visual.map((field, index) => codeRows(field, codes[index]!)),
  ];
}

function textsAt(column: CategoricalColumn): (at: number) => string | null {
  return (at) => textOf(column, column.codes[at]!);
}

/** @param textAt what `rowOf` at a place is the row of */
function rowsOf({ rowOf, unknownRow, buckets }: Field, textAt: (at: number) => string | null): IdRows {
  if (buckets !== null) return { kind: 'hashed', missing: unknownRow, buckets };
  let missing = unknownRow;
  const known = new LargeMap<string, number>();
  for (let at = 0; at < rowOf.length; at++) {
    const text = textAt(at);
    if (text === null) missing = rowOf[at]!;
    else if (rowOf[at] !== unknownRow) known.set(text, rowOf[at]!);
  }
  return { kind: 'known', unknown: unknownRow, missing, known };
}

/** All codes have a row, those that no item of the catalogue has too: a new item may be given one. */
function codeRows({ rowOf, unknownRow }: Field, { codes, count }: ItemCodes): KnownRows {
  const known = new LargeMap<string, number>();
  const first = codes.findIndex((code) => code !== NONE);
  if (first >= 0) {
    for (let code = 0; code < count; code++) known.set(`${code}`, rowOf[first]! - codes[first]! + code);
  }
  return { kind: 'known', unknown: unknownRow, missing: unknownRow, known };
}

/**
 * Writes a Parquet file with the columns `field`, `kind`, `value` and `row`. Each field has a line of the kind `missing`;
 * one with a vocabulary has a line of the kind `unknown` and a line of the kind `id` for every known id; one whose ids are
 * hashed has a line of the kind `hashed`, with the number of its buckets as value and the first of them as row.
 * @throws CourierError OUTPUT_NOT_WRITABLE
 */
export async function writeIdRows(path: string, fields: ReadonlyMap<string, IdRows>): Promise<void> {
  const [names, kinds, values, places]: [string[], string[], (string | null)[], number[]] = [[], [], [], []];
  const add = (name: string, kind: string, value: string | null, row: number) => {
    names.push(name);
    kinds.push(kind);
    values.push(value);
    places.push(row);
  };
  for (const [name, rows] of fields) {
    if (rows.kind === 'known') add(name, 'unknown', null, rows.unknown);
    else add(name, 'hashed', `${rows.buckets.count}`, rows.buckets.first);
    add(name, 'missing', null, rows.missing);
    if (rows.kind === 'known') for (const [id, row] of rows.known) add(name, 'id', id, row);
  }
  await writeParquet(path, [
    { name: 'field', type: 'VARCHAR', values: names },
    { name: 'kind', type: 'VARCHAR', values: kinds },
    { name: 'value', type: 'VARCHAR', values },
    { name: 'row', type: 'INTEGER', values: Int32Array.from(places) },
  ]);
}

/**
 * @param names the fields that there have to be
 * @param tableRows of the embedding table
 * @throws CourierError FILE_CORRUPT, DATASET_INVALID for a file that cannot be read; Error that says what is wrong
 * with its content
 */
export async function readIdRows(
  path: string,
  names: readonly string[],
  tableRows: number,
): Promise<ReadonlyMap<string, IdRows>> {
  await requireFewRows(path);
  const { fields, kinds, values, rows } = await readParquet(path, async (table) => ({
    fields: await table.texts('field'),
    kinds: await table.texts('kind'),
    values: await table.texts('value'),
    rows: await table.integers('row'),
  }));
  const found = new Map(names.map((name) => [name, new IdRowsReader(name, tableRows)]));
  for (let line = 0; line < rows.length; line++) {
    const row = rows[line]!;
    const reader = found.get(fields[line] ?? '');
    if (reader === undefined) throw new Error(`line ${line} is of ${fields[line]}, which is no field`);
    if (!(row >= paddingRow && row < tableRows))
      throw new Error(`${fields[line]} has the row ${row}, and there are ${tableRows}`);
    reader.add(kinds[line] ?? '', values[line] ?? null, row);
  }
  return new Map([...found].map(([name, reader]) => [name, reader.whole()]));
}

class IdRowsReader {
  readonly #name: string;
  readonly #tableRows: number;
  readonly #known = new LargeMap<string, number>();
  readonly #others = new Map<string, number>();
  #buckets: Buckets | null = null;

  constructor(name: string, tableRows: number) {
    this.#name = name;
    this.#tableRows = tableRows;
  }

  add(kind: string, value: string | null, row: number): void {
    const isId = kind === 'id' && value !== null;
    const [map, key] = isId ? [this.#known, value] : [this.#others, kind];
    if (map.has(key)) throw new Error(`${this.#name} has ${key} twice`);
    map.set(key, row);
    if (kind === 'hashed') this.#buckets = this.#bucketsOf(row, Number(value));
  }

  #bucketsOf(first: number, count: number): Buckets {
    if (Number.isInteger(count) && count >= 1 && first + count <= this.#tableRows) return { first, count };
    throw new Error(`${this.#name} has ${count} buckets from the row ${first} on`);
  }

  whole(): IdRows {
    const [unknown, missing] = [this.#others.get('unknown'), this.#others.get('missing')];
    const buckets = this.#buckets;
    if (buckets !== null) {
      if (missing === undefined || this.#others.size !== 2 || this.#known.size > 0)
        throw new Error(`${this.#name} is hashed and needs one row for missing, and nothing else`);
      return { kind: 'hashed', missing, buckets };
    }
    if (unknown === undefined || missing === undefined || this.#others.size !== 2)
      throw new Error(`${this.#name} needs one row for unknown and one for missing, and no other kind`);
    return { kind: 'known', unknown, missing, known: this.#known };
  }
}

/** A small file may say that it holds more than there is memory for. */
export async function requireFewRows(path: string): Promise<void> {
  const rows = await withDuckDB([dirname(path)], async (connection) => {
    const result = await connection.run(`SELECT count(*)::DOUBLE FROM read_parquet(${fileLiteral(path)})`);
    return Number((await result.getRows())[0]?.[0]);
  });
  if (!(rows <= idLimit)) throw new Error(`it holds ${rows} lines, more than ${idLimit}`);
}
