/**
 * What a row of the table of a comparison costs once its rankers have scored, and beside it the AUC's lift alone by a
 * bootstrap over users: of every replicate exactly, in rows sorted once.
 */
import { numericRows } from '../src/data/counters/numeric-rows.ts';
import { type RankerRun, scoredRows, type TableData, tableRows } from '../src/evaluation/table.ts';
import { crossedSources } from '../src/metrics/crossed-sources.ts';
import { groupByIds } from '../src/metrics/groups.ts';
import { ascendingOrder } from '../src/metrics/order.ts';
import { summarise } from '../src/metrics/summary.ts';
import { aucInfluence, influenceOnDifference } from '../src/metrics/user-influence.ts';
import { Random } from '../src/random.ts';
import type { Benchmark } from './benchmark.ts';
import { describeRow, type Row, rowOf } from './report.ts';

const [users, views, candidates, items] = [2800, 20_000, 4, 5000];
const exposures = views * candidates;
const seeds = [1, 2, 3];
const sources = ['a', 'b', 'c'];
const replicates = 2800;

export const measuring: Benchmark = async ({ rounds, say }) => {
  const dataset = generatedLog();
  const runs = [null, ...sources].flatMap((source) => seeds.map((seed) => rankerRun(dataset, source, seed)));
  const [ours, bootstrap]: [number[], number[]] = [[], []];
  const [error, bootstrapped]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const rows = await tableRows(runs, dataset, { sliceBy: 'kind' });
    const between = performance.now();
    const drawn = bootstrapError(dataset, runs, Random.seeded(round + 1, 'bootstrap'));
    ours.push((between - start) / 1000 / rows.length);
    bootstrap.push((performance.now() - between) / 1000);
    error.push(jackknifeError(dataset, runs));
    bootstrapped.push(drawn);
    say(`  round ${round + 1}`);
  }
  const name = `${exposures.toLocaleString('en-US')} rows of ${users} users, ${seeds.length} seeds`;
  const rows: Row[] = [
    rowOf(`${name}: all of a row`, 's', 'lower', ours, {}),
    rowOf(`${name}: ${replicates} replicates of the lift of AUC`, 's', 'lower', bootstrap, {}),
    rowOf(`${name}: standard error of the lift by users`, 'points', 'lower', error, {
      bootstrap: bootstrapped,
    }),
  ];
  for (const row of rows) say(describeRow(row));
  return { rows, missing: [] };
};

/** A log of which every exposure is of the test period; users are told apart by how often they click. */
function generatedLog(): TableData {
  const random = Random.seeded(1, 'bench log');
  const user = Int32Array.from({ length: views }, (_, view) => (view < users ? view : random.integer(users)));
  const taste = Float64Array.from({ length: users }, () => random.normal());
  const item = Int32Array.from({ length: exposures }, () => random.integer(items));
  const clicked = Uint8Array.from(item, (_, row) => {
    return random.normal() + taste[user[Math.floor(row / candidates)]!]! > 1 ? 1 : 0;
  });
  const columns = ['cold', 'user_clicks_log', 'item_clicks_log', 'seen_before'];
  const numeric = Float32Array.from({ length: exposures * columns.length }, (_, place) => {
    const of = item[Math.floor(place / columns.length)]!;
    return [of % 4 === 0 ? 1 : 0, of % 3, of % 4 === 0 ? 0 : Math.log1p(of % 40), of % 5 === 0 ? 1 : 0][
      place % columns.length
    ]!;
  });
  const kinds = Array.from({ length: 12 }, (_, kind) => `kind ${kind}`);
  const codes = Int32Array.from({ length: items }, () => random.integer(kinds.length));
  return {
    name: 'bench',
    catalogue: {
      ids: Array.from({ length: items }, (_, index) => `item${index}`),
      photo: Int32Array.from({ length: items }, (_, index) => index),
      titles: Array<null>(items).fill(null),
      categories: [{ name: 'kind', values: kinds, codes }],
    },
    pageViews: {
      user,
      time: Float64Array.from(user, (_, view) => view),
      split: new Uint8Array(views).fill(2),
      start: Int32Array.from({ length: views + 1 }, (_, view) => view * candidates),
      history: new Int32Array(views),
      historyLength: 1,
    },
    exposures: { item, clicked, numeric: numericRows(columns, numeric), context: [] },
  };
}

function rankerRun({ exposures: { clicked } }: TableData, source: string | null, seed: number): RankerRun {
  const random = Random.seeded(seed, `ranker ${source}`);
  const testScores = Float32Array.from(clicked, (label) => 1 / (1 + Math.exp(-label - random.normal())));
  const result = {
    testRows: Int32Array.from(clicked.keys()),
    testScores,
    validationAuc: { kind: 'value', value: 0.5 } as const,
    curve: [],
    steps: 1,
    seconds: 1,
    gates: [],
  };
  return { source, features: source === null ? null : 'sim-score', start: 'warm', seed, result };
}

/** The rows of a ranker from the lowest score to the highest. */
interface SortedRows {
  readonly scores: Float32Array;
  readonly labels: Uint8Array;
  readonly users: Int32Array;
}

/** Standard error of the lift of the first row with images, mean over seeds, by the draw of users. In points. */
function jackknifeError(dataset: TableData, runs: readonly RankerRun[]): number {
  const scored = scoredRows(
    dataset,
    Int32Array.from({ length: exposures }, (_, row) => row),
  );
  const of = (source: string | null) =>
    runs.filter((run) => run.source === source).map(({ result }) => scored(result.testScores));
  const [before, after] = [of(null), of(sources[0]!)];
  const groups = groupByIds(before[0]!.users);
  const lifts = before.map((rows, seed) =>
    influenceOnDifference(aucInfluence(rows, groups), aucInfluence(after[seed]!, groups)),
  );
  return 100 * Math.sqrt(crossedSources(lifts).userVariance);
}

/** The same over draws of users with replacement. */
function bootstrapError(dataset: TableData, runs: readonly RankerRun[], random: Random): number {
  const sorted = (source: string | null) =>
    runs.filter((run) => run.source === source).map(({ result }) => sortedRows(dataset, result.testScores));
  const [before, after] = [sorted(null), sorted(sources[0]!)];
  const mean = (rankers: readonly SortedRows[], weights: Int32Array) =>
    rankers.reduce((sum, ranker) => sum + weightedAuc(ranker, weights), 0) / rankers.length;
  const lifts = Array.from({ length: replicates }, () => {
    const weights = new Int32Array(users);
    for (let draw = 0; draw < users; draw++) weights[random.integer(users)]! += 1;
    return mean(after, weights) - mean(before, weights);
  });
  return 100 * (summarise(lifts).std ?? 0);
}

function sortedRows({ pageViews: { user }, exposures: { clicked } }: TableData, scores: Float32Array) {
  const order = ascendingOrder(scores);
  return {
    scores: Float32Array.from(order, (row) => scores[row]!),
    labels: Uint8Array.from(order, (row) => clicked[row]!),
    users: Int32Array.from(order, (row) => user[Math.floor(row / candidates)]!),
  };
}

/** @param weights how often each user was drawn */
function weightedAuc({ scores, labels, users: owners }: SortedRows, weights: Int32Array): number {
  let [below, clicks, halves, first] = [0, 0, 0, 0];
  while (first < scores.length) {
    let [clicked, unclicked, next] = [0, 0, first];
    for (; next < scores.length && scores[next] === scores[first]; next++) {
      const weight = weights[owners[next]!]!;
      if (labels[next] === 1) clicked += weight;
      else unclicked += weight;
    }
    halves += clicked * (2 * below + unclicked);
    below += unclicked;
    clicks += clicked;
    first = next;
  }
  return halves / (2 * clicks * below);
}
