/** The tables of a dataset as columns, and back. */
import type { Catalogue, CategoricalColumn, Exposures, PageViews } from './dataset.ts';
import type { ManifestContent } from './manifest.ts';
import type { ParquetColumn, ParquetTable } from './parquet.ts';
import { invalid } from './validate.ts';

type Vocabulary = ManifestContent['categories'][number];

export function itemColumns({ ids, titles, photo, categories }: Catalogue): ParquetColumn[] {
  return [
    { name: 'id', type: 'VARCHAR', values: ids },
    { name: 'title', type: 'VARCHAR', values: titles },
    { name: 'photo', type: 'INTEGER', values: photo },
    ...categories.map(({ name, codes }) => integers(`category_${name}`, codes)),
  ];
}

export function catalogueFrom(table: ParquetTable, categories: readonly Vocabulary[]): Catalogue {
  return {
    ids: requiredTexts(table, 'id'),
    titles: table.texts('title'),
    photo: Int32Array.from(table.numbers('photo')),
    categories: categories.map((vocabulary) => columnFrom(table, 'category', vocabulary)),
  };
}

export function pageViewColumns({ user, time, split, history, historyLength }: PageViews): ParquetColumn[] {
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

/** @param exposures the table that tells which page view each exposure belongs to */
export function pageViewsFrom(
  table: ParquetTable,
  exposures: ParquetTable,
  historyLength: number,
): PageViews {
  const viewCount = table.rowCount;
  const history = new Int32Array(viewCount * historyLength);
  for (let place = 0; place < historyLength; place++) {
    const items = table.numbers(`history_${place + 1}`);
    for (let view = 0; view < viewCount; view++) history[view * historyLength + place] = items[view]!;
  }
  return {
    user: Int32Array.from(table.numbers('user')),
    time: Float64Array.from(table.numbers('time')),
    split: Uint8Array.from(table.numbers('split')),
    start: startsFrom(exposures.numbers('page_view'), viewCount),
    history,
    historyLength,
  };
}

export function exposureColumns(exposures: Exposures, start: Int32Array): ParquetColumn[] {
  const { item, clicked, numeric, numericNames, context } = exposures;
  const pageView = new Int32Array(item.length);
  for (let view = 0; view + 1 < start.length; view++) pageView.fill(view, start[view], start[view + 1]);
  return [
    integers('page_view', pageView),
    integers('item', item),
    { name: 'clicked', type: 'UTINYINT', values: clicked },
    ...context.map(({ name, codes }) => integers(`context_${name}`, codes)),
    ...numericNames.map((name, feature): ParquetColumn => {
      const values = Float32Array.from(item, (_, row) => numeric[row * numericNames.length + feature]!);
      return { name: `numeric_${name}`, type: 'FLOAT', values };
    }),
  ];
}

export function exposuresFrom(
  table: ParquetTable,
  numericNames: readonly string[],
  context: readonly Vocabulary[],
): Exposures {
  const numeric = new Float32Array(table.rowCount * numericNames.length);
  for (const [feature, name] of numericNames.entries()) {
    const values = table.numbers(`numeric_${name}`);
    for (let row = 0; row < values.length; row++) numeric[row * numericNames.length + feature] = values[row]!;
  }
  return {
    item: Int32Array.from(table.numbers('item')),
    clicked: Uint8Array.from(table.numbers('clicked')),
    numeric,
    numericNames,
    context: context.map((vocabulary) => columnFrom(table, 'context', vocabulary)),
  };
}

/** Texts of which none may be missing. */
export function requiredTexts(table: ParquetTable, name: string): string[] {
  return table.texts(name).map((text) => {
    if (text === null) throw invalid(`a text of column ${name} is missing`);
    return text;
  });
}

function integers(name: string, values: Int32Array): ParquetColumn {
  return { name, type: 'INTEGER', values };
}

function columnFrom(table: ParquetTable, kind: string, { name, values }: Vocabulary): CategoricalColumn {
  return { name, values, codes: Int32Array.from(table.numbers(`${kind}_${name}`)) };
}

/** Where the exposures of each page view begin. @param pageView of each exposure, ascending */
function startsFrom(pageView: ArrayLike<number>, viewCount: number): Int32Array {
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
