/** Which columns of a file hold ids and which vectors: those that are named, else those whose names and types say so. */
import { basename } from 'node:path';
import { CourierError } from '../../errors.ts';
import type { ChosenColumns } from './embedding-files.ts';

/** A column of a table, or a tensor. */
export interface FoundColumn {
  readonly name: string;
  /** As the file has it, for people. */
  readonly type: string;
  /** What it may hold: ids, whole vectors, or a value of each vector. */
  readonly may: 'ids' | 'vectors' | 'values' | 'ids or values' | 'nothing';
}

/** Names of a column of ids, the surest first. */
const idNames = [
  /^item_?ids?$/i,
  /^(items?|ids?)$/i,
  /^(article|product|movie|news|video|note|sku|asin|parent_asin)(_?id)?s?$/i,
  /(^|_)ids?$/i,
];

/** Names of a column of vectors among several. */
const vectorNames = /emb|vec|feature/i;

/**
 * The column of ids, and that of vectors or those of their values in order.
 * @throws CourierError VALUE_INVALID where it is not plain, or what is named is not there or holds something else
 */
export function columnsOfEmbeddings(
  path: string,
  columns: readonly FoundColumn[],
  chosen: ChosenColumns,
): { readonly id: FoundColumn; readonly vector: readonly FoundColumn[] } {
  const vector = vectorOf(path, columns, chosen.vector);
  return {
    id: columnOfIds(
      path,
      columns.filter((column) => !vector.includes(column)),
      chosen.id,
    ),
    vector,
  };
}

/** @throws CourierError as columnsOfEmbeddings does */
export function columnOfIds(
  path: string,
  columns: readonly FoundColumn[],
  named: string | null,
): FoundColumn {
  const possible = columns.filter(({ may }) => may === 'ids' || may === 'ids or values');
  if (named !== null) {
    const found = possible.find(({ name }) => name === named);
    if (found === undefined) throw notThere(path, columns, named, 'ids');
    return found;
  }
  for (const pattern of idNames) {
    const found = possible.filter(({ name }) => pattern.test(name));
    if (found.length === 1) return found[0]!;
  }
  const [only] = possible;
  if (only === undefined || possible.length > 1) throw notPlain(path, columns, 'ids');
  return only;
}

/** @throws CourierError as columnsOfEmbeddings does */
export function vectorOf(
  path: string,
  columns: readonly FoundColumn[],
  named: string | null,
): readonly FoundColumn[] {
  const lists = columns.filter(({ may }) => may === 'vectors');
  if (named !== null) {
    const found = lists.filter(({ name }) => name === named);
    const values = found.length > 0 ? found : numbered(columns, named);
    if (values.length === 0) throw notThere(path, columns, named, 'vectors');
    return values;
  }
  const vectors = lists.length > 1 ? lists.filter(({ name }) => vectorNames.test(name)) : lists;
  const wide = vectors.length === 0 ? numbered(columns, null) : [];
  if (vectors.length > 1 || (vectors.length === 0 && wide.length < 2))
    throw notPlain(path, columns, 'vectors');
  return vectors.length === 1 ? vectors : wide;
}

/**
 * A column for each value: of one beginning and the numbers from 0 or 1 on, such as `0`, `1` or `emb_1`, `emb_2`.
 * @param beginning null for that which most have
 */
function numbered(columns: readonly FoundColumn[], beginning: string | null): readonly FoundColumn[] {
  const groups = new Map<string, { readonly column: FoundColumn; readonly place: number }[]>();
  for (const column of columns) {
    const found = /^(.*?)(\d+)$/.exec(column.name);
    if (found === null || (column.may !== 'values' && column.may !== 'ids or values')) continue;
    const own = groups.get(found[1]!) ?? [];
    groups.set(found[1]!, [...own, { column, place: Number(found[2]) }]);
  }
  const [largest = []] = [...groups.values()].sort((a, b) => b.length - a.length);
  const group = beginning === null ? largest : (groups.get(beginning) ?? []);
  const ordered = group.toSorted((a, b) => a.place - b.place);
  const first = ordered[0]?.place ?? 0;
  return first <= 1 && ordered.every(({ place }, index) => place === first + index)
    ? ordered.map(({ column }) => column)
    : [];
}

function listed(columns: readonly FoundColumn[]): string {
  const has = columns.slice(0, 12).map(({ name, type }) => `\`${name}\` (${type})`);
  return `${has.join(', ')}${columns.length > has.length ? ` and ${columns.length - has.length} more` : ''}`;
}

function notPlain(path: string, columns: readonly FoundColumn[], what: 'ids' | 'vectors'): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} cannot be used: which column holds the ${what} is not plain; it has ${listed(columns)}.`,
    `Name them behind the file: '${basename(path)}#id=COLUMN&vector=COLUMN'. Vectors are a list of numbers, or a column for each value, named by what their names begin with: vector=emb_ for emb_0, emb_1, ….`,
  );
}

function notThere(
  path: string,
  columns: readonly FoundColumn[],
  named: string,
  what: 'ids' | 'vectors',
): CourierError {
  const is = columns.some(({ name }) => name === named) ? 'does not hold' : 'is not there to hold';
  return new CourierError(
    'VALUE_INVALID',
    `${basename(path)} cannot be used: \`${named}\` ${is} ${what}; it has ${listed(columns)}.`,
    what === 'ids'
      ? 'Name a column of texts or whole numbers: #id=COLUMN.'
      : 'Name a column of lists of numbers, or what the names of a column for each value begin with: #vector=COLUMN.',
  );
}
