/** What must not be in a dataset: knowledge of the answer, or of later periods, in what a ranker sees. */

import { eachRow } from '../../data/counters/numeric-rows.ts';
import { PairIndex } from '../../data/counters/pair-index.ts';
import { type Dataset, NONE } from '../../data/dataset.ts';
import type { LoadedTables } from '../../data/store.ts';
import { known } from '../../metrics/measured.ts';
import type { LeakCheck } from '../../report/data-report.ts';
import { decimals } from '../../text.ts';

/** An AUC of popularity further from one half tells more than shops' own popularity mostly does. */
const suspiciousAuc = 0.3;

/** @param logged the tables with the times of exposures, where the dataset has them */
export function leakChecks(dataset: Dataset, logged: LoadedTables['exposures']['logged']): LeakCheck[] {
  return [
    earlierHistories(dataset, logged),
    wholePageViews(dataset, logged),
    repeatedTargets(dataset),
    ...popularity(dataset),
    ...ownAnswers(dataset),
  ];
}

/** Share of the places of histories that may be of clicks both before the log and later in it, where histories are given. */
const mostRepeated = 0.01;

/** No item of a history was first clicked by the user at the time of the page view, or later. */
function earlierHistories(
  { pageViews, exposures }: Dataset,
  logged: LoadedTables['exposures']['logged'],
): LeakCheck {
  const what = 'Items of a history that the user clicked at the time of the page view, or later';
  if (logged === null)
    return {
      what,
      outcome: { kind: 'not possible', why: 'candidates were drawn, so not every click is an exposure' },
    };
  const pairs = new PairIndex();
  const firstClick: number[] = [];
  const { user, start, history, historyLength } = pageViews;
  for (let view = 0; view < user.length; view++) {
    for (let row = start[view]!; row < start[view + 1]!; row++) {
      if (exposures.clicked[row] !== 1) continue;
      const pair = pairs.add(user[view]!, exposures.item[row]!);
      firstClick[pair] = Math.min(firstClick[pair] ?? Number.POSITIVE_INFINITY, logged.clickedAt[row]!);
    }
  }
  let [found, of] = [0, 0];
  for (let view = 0; view < user.length; view++) {
    for (let place = 0; place < historyLength; place++) {
      const item = history[view * historyLength + place]!;
      if (item === NONE) continue;
      of++;
      const pair = pairs.find(user[view]!, item);
      if (pair !== NONE && firstClick[pair]! >= pageViews.time[view]!) found++;
    }
  }
  return { what, outcome: { kind: 'counted', found, of, isWrong: found > mostRepeated * of } };
}

/** A page view belongs to one split; what it shows later may be known in the next. */
function wholePageViews(
  { pageViews, splitTimes }: Dataset,
  logged: LoadedTables['exposures']['logged'],
): LeakCheck {
  const what = 'Page views that begin in one split and end in the next';
  if (logged === null)
    return { what, outcome: { kind: 'not possible', why: 'candidates were drawn at one moment' } };
  const boundaries = [splitTimes.validationFrom, splitTimes.testFrom];
  let found = 0;
  for (let view = 0; view < pageViews.user.length; view++) {
    let last = pageViews.time[view]!;
    for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++)
      last = Math.max(last, logged.time[row]!);
    if (boundaries.some((time) => pageViews.time[view]! < time && last >= time)) found++;
  }
  return { what, outcome: { kind: 'counted', found, of: pageViews.user.length, isWrong: false } };
}

/** How many test clicks are of items that the same user clicked in training: what is known then without any photo. */
function repeatedTargets({ pageViews, exposures }: Dataset): LeakCheck {
  const clicked = new PairIndex();
  let [found, of] = [0, 0];
  for (let view = 0; view < pageViews.user.length; view++) {
    for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
      if (exposures.clicked[row] !== 1) continue;
      const pair = [pageViews.user[view]!, exposures.item[row]!] as const;
      if (pageViews.split[view] === 0) clicked.add(...pair);
      if (pageViews.split[view] !== 2) continue;
      of++;
      if (clicked.find(...pair) !== NONE) found++;
    }
  }
  const what = 'Test clicks on items that the same user had clicked in training';
  return { what, outcome: { kind: 'counted', found, of, isWrong: false } };
}

function popularity({ report }: Dataset): LeakCheck[] {
  return report.candidates.flatMap(({ split, clicked, unclicked, popularityAuc }) => {
    const auc = known(popularityAuc);
    if (auc === null) return [];
    return [
      {
        what: `AUC of the popularity of items alone in the ${split} period: ${decimals(auc, 3)}, over clicks`,
        outcome: {
          kind: 'counted' as const,
          found: clicked.exposures,
          of: clicked.exposures + unclicked.exposures,
          isWrong: Math.abs(auc - 0.5) > suspiciousAuc,
        },
      },
    ];
  });
}

/** A number of the log that is the answer, such as a dwell time that only clicks have. */
function ownAnswers({ exposures, pageViews }: Dataset): LeakCheck[] {
  const { numeric, clicked } = exposures;
  const training = pageViews.start[pageViews.split.filter((split) => split === 0).length]!;
  // By its sign alone: what is above zero for clicks and only for them was written after the click.
  const balances = numeric.names.map(() => new Map<number, number>());
  let clicks = 0;
  eachRow(
    numeric,
    Int32Array.from({ length: training }, (_, row) => row),
    (values, from, row) => {
      const isClick = clicked[row] === 1;
      clicks += isClick ? 1 : 0;
      for (const [column, ofClicks] of balances.entries()) {
        const sign = Math.sign(values[from + column]!);
        ofClicks.set(sign, (ofClicks.get(sign) ?? 0) + (isClick ? 1 : -1));
      }
    },
  );
  return numeric.names.flatMap((name, column) => {
    const ofClicks = balances[column]!;
    let right = 0;
    for (const balance of ofClicks.values()) right += Math.abs(balance);
    const isAnswer = clicks > 0 && right >= 0.999 * training && ofClicks.size > 1;
    return isAnswer
      ? [
          {
            what: `Exposures of which ${name} alone says whether they were clicked`,
            outcome: { kind: 'counted' as const, found: training, of: training, isWrong: true },
          },
        ]
      : [];
  });
}
