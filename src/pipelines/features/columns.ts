/** Features of every exposure as named columns, each with what it means in words. */

import { columnsOf } from '../../data/counters/numeric-rows.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { Column } from '../../data/duckdb/columns.ts';
import { longHistoryLength } from '../../data/long-history.ts';
import { widthOf } from '../../data/visual-feature.ts';
import type { VisualInputs } from '../../features/feature.ts';
import { type FeatureName, visualFeatures } from '../../features/index.ts';
import { retrievedLength } from '../../features/retrieved.ts';
import { simRetrievedPlaces } from '../../features/sim-retrieved.ts';
import { simScorePlaces } from '../../features/sim-score.ts';
import { tiers } from '../../features/sim-tier.ts';

/** A column, and how to compute it elsewhere. */
export interface DefinedColumn {
  readonly column: Column;
  readonly definition: string;
}

/** Exposures that are computed at a time. */
const rowsAtATime = 8192;

/** The columns of one way of feeding images: its dense values, nearness to each place, then the codes of the candidate. */
export function visualColumns(dataset: Dataset, name: FeatureName, inputs: VisualInputs): DefinedColumn[] {
  const feature = visualFeatures[name](dataset, inputs);
  const { historyLength } = dataset.pageViews;
  const dense = filled(dataset, widthOf(feature), (some, out) => feature.fill(some, out));
  const near = feature.fillNearness === null ? [] : filled(dataset, historyLength, feature.fillNearness);
  const named = namesOf(name, inputs, historyLength);
  const numbers = [...dense, ...near].map((values, place): DefinedColumn => {
    const [called = '', definition = ''] = named[place] ?? [];
    return { column: { name: called, type: 'FLOAT', values }, definition };
  });
  const codes = feature.codes.map(({ name: called, codes: of }): DefinedColumn => {
    return {
      column: { name: called, type: 'INTEGER', values: dataset.exposures.item.map((item) => of[item]!) },
      definition: `The candidate's ${called.startsWith('cluster') ? 'nearest centre' : 'residual code'}, −1 without an embedding: a category.`,
    };
  });
  return [...numbers, ...codes];
}

/** Values of every exposure, column by column, some rows at a time. */
function filled(
  { exposures }: Dataset,
  width: number,
  fill: (rows: Int32Array, out: Float32Array) => void,
): readonly Float32Array[] {
  const rows = exposures.item.length;
  const columns = Array.from({ length: width }, () => new Float32Array(rows));
  for (let from = 0; from < rows; from += rowsAtATime) {
    const some = Int32Array.from({ length: Math.min(rowsAtATime, rows - from) }, (_, row) => from + row);
    const values = new Float32Array(some.length * width);
    fill(some, values);
    for (const [place, column] of columns.entries())
      for (let row = 0; row < some.length; row++) column[from + row] = values[row * width + place]!;
  }
  return columns;
}

const comparable =
  'items of the history that show another photo than the candidate, both with an embedding (newest first, each item once)';

const retrieved = `the ${retrievedLength} items most similar to the candidate, or fewer, that show another photo, both with an embedding, among the newest ${longHistoryLength} that the user clicked strictly before the page view (each once)`;

/** Name and meaning of each dense value, in the order in which a feature writes them; then of nearness to each place. */
function namesOf(
  name: FeatureName,
  inputs: VisualInputs,
  historyLength: number,
): readonly (readonly [string, string])[] {
  switch (name) {
    case 'vector':
      return Array.from({ length: inputs.embeddings.dimension }, (_, place) => [
        `vector_${place}`,
        `Value ${place} of the candidate's embedding, of length 1; 0 without one.`,
      ]);
    case 'sim-score':
      return [
        ...Array.from(
          { length: simScorePlaces },
          (_, place) =>
            [
              `sim_score_${place + 1}`,
              `Cosine of the candidate with place ${place + 1} of the history; 0 where they cannot be compared: ${comparable}.`,
            ] as const,
        ),
        [
          'sim_score_maximum',
          `The largest of the cosines over the ${simScorePlaces} newest ${comparable}; 0 without any.`,
        ],
        ['sim_score_mean', 'The mean of the same; 0 without any.'],
        ['sim_score_comparable', '1 where there was any to compare, else 0.'],
      ];
    case 'sim-tier':
      return [['recent', comparable] as const, ['retrieved', retrieved] as const].flatMap(([part, of]) =>
        Array.from(
          { length: tiers },
          (_, tier) =>
            [
              `sim_tier_${part}_${tier + 1}`,
              `log(1 + n), n being how many of ${of} have a cosine with the candidate above ${((tier - 11) / 10).toFixed(1)} and up to ${((tier - 10) / 10).toFixed(1)}.`,
            ] as const,
        ),
      );
    case 'sim-retrieved':
      return [
        ...Array.from(
          { length: simRetrievedPlaces },
          (_, place) =>
            [
              `sim_retrieved_${place + 1}`,
              `Of the cosines of the candidate with ${retrieved}, the ${place + 1}. largest; 0 where there are fewer.`,
            ] as const,
        ),
        ['sim_retrieved_mean', 'The mean of the same, all of them; 0 without any.'],
        ['sim_retrieved_comparable', '1 where there was any to compare, else 0.'],
      ];
    case 'attention-cosine':
      return Array.from({ length: historyLength }, (_, place) => [
        `nearness_${place + 1}`,
        `1 + the cosine of the candidate with place ${place + 1} of the history; 0 where they cannot be compared: ${comparable}.`,
      ]);
    case 'cluster-id':
    case 'semantic-id':
      return (name === 'cluster-id' ? inputs.clusters : inputs.semanticIds).flatMap(
        ({ name: called }) =>
          [
            [`${called}_in_history`, `1 where ${comparable} have the candidate's ${called}, else 0.`],
            [`${called}_times_log`, 'log(1 + how many of them have it).'],
            [`${called}_comparable`, '1 where candidate and any of them have one, else 0.'],
          ] as const,
      );
  }
}

/** Where an exposure comes from, so that it joins back to the log. */
export function keyColumns(
  dataset: Dataset,
  logged: { readonly log: Int32Array; readonly row: BigInt64Array } | null,
): DefinedColumn[] {
  const { catalogue, users, pageViews, exposures } = dataset;
  const rows = exposures.item.length;
  const view = new Int32Array(rows);
  const user = new Array<string>(rows);
  const time = new BigInt64Array(rows);
  const split = new Uint8Array(rows);
  for (let each = 0; each < pageViews.user.length; each++) {
    const [from, to] = [pageViews.start[each]!, pageViews.start[each + 1]!];
    view.fill(each, from, to);
    user.fill(users[pageViews.user[each]!]!, from, to);
    time.fill(BigInt(Math.floor(pageViews.time[each]!)), from, to);
    split.fill(pageViews.split[each]!, from, to);
  }
  const own: DefinedColumn[] =
    logged === null
      ? []
      : [
          {
            column: { name: 'log', type: 'INTEGER', values: logged.log },
            definition: 'The log that the exposure came with: 0, and one more for each that was appended.',
          },
          {
            column: { name: 'log_row', type: 'BIGINT', values: logged.row },
            definition:
              'Its row in that log, the first after the header being 1, lines that are no rows included and blank ones not; of several rows that are one exposure the first.',
          },
        ];
  return [
    ...own,
    {
      column: { name: 'page_view', type: 'INTEGER', values: view },
      definition: 'Number of the page view in the dataset, in the order of time.',
    },
    { column: { name: 'user', type: 'VARCHAR', values: user }, definition: 'Id of the user.' },
    {
      column: {
        name: 'item',
        type: 'VARCHAR',
        values: Array.from(exposures.item, (item) => catalogue.ids[item]!),
      },
      definition: 'Id of the candidate.',
    },
    {
      column: { name: 'time', type: 'BIGINT', values: time },
      definition: 'Begin of the page view, in milliseconds since 1970-01-01 UTC.',
    },
    {
      column: { name: 'split', type: 'UTINYINT', values: split },
      definition: '0 training, 1 validation, 2 test.',
    },
    {
      column: { name: 'clicked', type: 'UTINYINT', values: exposures.clicked },
      definition: 'Whether it was clicked: the label.',
    },
  ];
}

/** What is known without photos: numbers, then categories of the item and contexts of the page view as texts. */
export function baseColumns({ catalogue, exposures }: Dataset): DefinedColumn[] {
  const { numeric, item, context } = exposures;
  const numbers = columnsOf(
    numeric,
    numeric.names,
    item.map((_, row) => row),
  ).map((values, place): DefinedColumn => {
    return {
      column: { name: numeric.names[place]!, type: 'FLOAT', values },
      definition: 'A base feature: docs/data.md says how it is counted.',
    };
  });
  const texts = (name: string, values: readonly string[], codeOf: (row: number) => number): DefinedColumn => {
    return {
      column: {
        name,
        type: 'VARCHAR',
        values: Array.from(item, (_, row) => (codeOf(row) === 0 ? null : values[codeOf(row)]!)),
      },
      definition: 'A category, null where it is not known.',
    };
  };
  return [
    ...numbers,
    ...catalogue.categories.map(({ name, values, codes }) =>
      texts(`category_${name}`, values, (row) => codes[item[row]!]!),
    ),
    ...context.map(({ name, values, codes }) => texts(`context_${name}`, values, (row) => codes[row]!)),
  ];
}
