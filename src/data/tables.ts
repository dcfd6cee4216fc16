/** The tables of a dataset as columns, and back. */
import type { Column } from './columns.ts';
import type { Catalogue, CategoricalColumn, Exposures, PageViews } from './dataset.ts';
import type { ManifestContent } from './manifest.ts';
import type { ParquetTable } from './parquet-table.ts';
import { invalid } from './validate.ts';

type Vocabulary = ManifestContent['categories'][number];

export function itemColumns({ ids, titles, photo, categories }: Catalogue): Column[] {
  return [
    { name: 'id', type: 'VARCHAR', values: ids },
    { name: 'title', type: 'VARCHAR', values: titles },
    { name: 'photo', type: 'INTEGER', values: photo },
    ...categories.map(({ name, codes }) => integers(`category_${name}`, codes)),
  ];
}

export async function catalogueFrom(
  table: ParquetTable,
  categories: readonly Vocabulary[],
): Promise<Catalogue> {
  return {
    ids: await requiredTexts(table, 'id'),
    titles: await table.texts('title'),
    photo: await table.integers('photo'),
    categories: await columnsFrom(table, 'category', categories),
  };
}

export function pageViewColumns({ user, time, split, history, historyLength }: PageViews): Column[] {
  return [
    integers('user', user),
    { name: 'time', type: 'DOUBLE', values: time },
    { name: 'split', type: 'UTINYINT', values: split },
    ...Array.from({ length: historyLength }, (_, place) =>
      integers(
        `history_${place + 1}`,
        user.map((_, view) => history[view * historyLength + place]!),
      ),
    ),
  ];
}

/** @param pageView the page view of each exposure, ascending */
export async function pageViewsFrom(
  table: ParquetTable,
  pageView: Int32Array,
  historyLength: number,
): Promise<PageViews> {
  const viewCount = table.rowCount;
  const history = new Int32Array(viewCount * historyLength);
  for (let place = 0; place < historyLength; place++) {
    const items = await table.integers(`history_${place + 1}`);
    for (let view = 0; view < viewCount; view++) history[view * historyLength + place] = items[view]!;
  }
  return {
    user: await table.integers('user'),
    time: await table.doubles('time'),
    split: await table.bytes('split'),
    start: startsFrom(pageView, viewCount),
    history,
    historyLength,
  };
}

export function exposureColumns(exposures: Exposures, start: Int32Array): Column[] {
  const { item, clicked, numeric, numericNames, context } = exposures;
  const pageView = new Int32Array(item.length);
  for (let view = 0; view + 1 < start.length; view++) pageView.fill(view, start[view], start[view + 1]);
  return [
    integers('page_view', pageView),
    integers('item', item),
    { name: 'clicked', type: 'UTINYINT', values: clicked },
    ...context.map(({ name, codes }) => integers(`context_${name}`, codes)),
    ...numericNames.map((name, feature): Column => {
      return {
        name: `numeric_${name}`,
        type: 'FLOAT',
        values: everyNth(numeric, feature, numericNames.length),
      };
    }),
  ];
}

/** The page view of each exposure, ascending. */
export function pageViewOf(exposures: ParquetTable): Promise<Int32Array> {
  return exposures.integers('page_view');
}

export async function exposuresFrom(
  table: ParquetTable,
  numericNames: readonly string[],
  context: readonly Vocabulary[],
): Promise<Exposures> {
  const numeric = new Float32Array(table.rowCount * numericNames.length);
  for (const [feature, name] of numericNames.entries()) {
    const values = await table.floats(`numeric_${name}`);
    for (let row = 0; row < values.length; row++) numeric[row * numericNames.length + feature] = values[row]!;
  }
  return {
    item: await table.integers('item'),
    clicked: await table.bytes('clicked'),
    numeric,
    numericNames,
    context: await columnsFrom(table, 'context', context),
  };
}

/** Texts of which none may be missing. */
export async function requiredTexts(table: ParquetTable, name: string): Promise<string[]> {
  return (await table.texts(name)).map((text) => {
    if (text === null) throw invalid(`a text of column ${name} is missing`);
    return text;
  });
}

/** A column of rows that lie side by side. A loop: `Float32Array.from` takes ten times as long. */
function everyNth(values: Float32Array, from: number, width: number): Float32Array {
  const column = new Float32Array(values.length / width);
  for (let row = 0, at = from; row < column.length; row++, at += width) column[row] = values[at]!;
  return column;
}

function integers(name: string, values: Int32Array): Column {
  return { name, type: 'INTEGER', values };
}

async function columnsFrom(
  table: ParquetTable,
  kind: string,
  vocabularies: readonly Vocabulary[],
): Promise<CategoricalColumn[]> {
  const columns: CategoricalColumn[] = [];
  for (const { name, values } of vocabularies)
    columns.push({ name, values, codes: await table.integers(`${kind}_${name}`) });
  return columns;
}

/** Where the exposures of each page view begin. @param pageView of each exposure, ascending */
function startsFrom(pageView: Int32Array, viewCount: number): Int32Array {
  const start = new Int32Array(viewCount + 1);
  for (let row = 0; row < pageView.length; row++) {
    const view = pageView[row]!;
    if (!(view >= 0 && view < viewCount) || (row > 0 && view < pageView[row - 1]!)) {
      throw invalid(`exposure ${row} belongs to page view ${view}, which is out of order`);
    }
    start[view + 1]!++;
  }
  for (let view = 0; view < viewCount; view++) start[view + 1]! += start[view]!;
  return start;
}
