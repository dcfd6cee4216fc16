/** How often things were shown and clicked: by day, position, category, user, item. */
import { type Dataset, pageViewOfRows } from '../../data/dataset.ts';
import type { Day, HeavyUser, Rate, RateFamily } from '../../report/data-report.ts';
import { percent } from '../../text.ts';

const day = 86_400_000;

/** Exposures and clicks by a code. */
interface Counted {
  readonly exposures: Float64Array;
  readonly clicks: Float64Array;
}

function countBy({ exposures }: Dataset, size: number, codeOf: (row: number) => number): Counted {
  const counted = { exposures: new Float64Array(size), clicks: new Float64Array(size) };
  for (let row = 0; row < exposures.item.length; row++) {
    const code = codeOf(row);
    counted.exposures[code]! += 1;
    counted.clicks[code]! += exposures.clicked[row]!;
  }
  return counted;
}

/** 1.96² and more, of the 95 % interval. */
const z = 1.959963984540054;

/** @returns the share with its interval after Wilson (1927), which holds for few exposures and for shares near 0 */
export function rateOf(label: string, exposures: number, clicks: number): Rate {
  if (exposures === 0) return { label, exposures, clicks, rate: 0, interval: [0, 1] };
  const rate = clicks / exposures;
  const n = exposures;
  const centre = (rate + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((rate * (1 - rate)) / n + z ** 2 / (4 * n ** 2));
  return {
    label,
    exposures,
    clicks,
    rate,
    interval: [Math.max(0, centre - half), Math.min(1, centre + half)],
  };
}

export function daysOf({ pageViews, exposures }: Dataset): Day[] {
  const days = new Map<number, { exposures: number; clicks: number }>();
  for (let view = 0; view < pageViews.user.length; view++) {
    const key = Math.floor(pageViews.time[view]! / day);
    const known = days.get(key) ?? { exposures: 0, clicks: 0 };
    for (let row = pageViews.start[view]!; row < pageViews.start[view + 1]!; row++) {
      known.exposures++;
      known.clicks += exposures.clicked[row]!;
    }
    days.set(key, known);
  }
  return [...days].map(([key, counts]) => {
    return { day: new Date(key * day).toISOString().slice(0, 10), ...counts };
  });
}

/** By the place in the page view, then by each category of the catalogue and each context of the log. */
export function familiesOf(dataset: Dataset, most: number): RateFamily[] {
  const { catalogue, pageViews, exposures } = dataset;
  const pageViewOf = pageViewOfRows(dataset);
  const placeOf = (row: number) => Math.min(most, row - pageViews.start[pageViewOf[row]!]!);
  const places = countBy(dataset, most + 1, placeOf);
  const position: RateFamily = {
    name: 'position in the page view',
    rates: Array.from({ length: most }, (_, place) =>
      rateOf(`${place + 1}`, places.exposures[place]!, places.clicks[place]!),
    ).filter((rate) => rate.exposures > 0),
    others: places.exposures[most]! > 0 ? 1 : 0,
  };
  const columns = [
    ...catalogue.categories.map(({ name, values, codes }) => ({
      name,
      values,
      codeOf: (row: number) => codes[exposures.item[row]!]!,
    })),
    ...exposures.context.map(({ name, values, codes }) => ({
      name,
      values,
      codeOf: (row: number) => codes[row]!,
    })),
  ];
  const families = columns.map(({ name, values, codeOf }): RateFamily => {
    const counted = countBy(dataset, values.length, codeOf);
    const rates = values.flatMap((label, code) =>
      counted.exposures[code] === 0 ? [] : [rateOf(label, counted.exposures[code]!, counted.clicks[code]!)],
    );
    const shown = rates.toSorted((a, b) => b.exposures - a.exposures).slice(0, most);
    return { name, rates: shown, others: rates.length - shown.length };
  });
  return [position, ...families];
}

/** More than this part of all exposures, and so many times as many as a user has in the mean: hardly a person. */
const [largestShare, timesTheMean] = [0.005, 20];
/** From so many exposures on, one who clicks nearly everything is no person either. */
const [manyExposures, nearlyAll] = [100, 0.95];
/** Users that are named. */
const named = 10;

export function heavyUsersOf(dataset: Dataset): HeavyUser[] {
  const { users, pageViews, exposures } = dataset;
  const pageViewOf = pageViewOfRows(dataset);
  const { exposures: shown, clicks } = countBy(
    dataset,
    users.length,
    (row) => pageViews.user[pageViewOf[row]!]!,
  );
  const mean = exposures.item.length / Math.max(1, shown.filter((count) => count > 0).length);
  const found = users.flatMap((user, index) => {
    const [own, clicked] = [shown[index]!, clicks[index]!];
    const share = own / exposures.item.length;
    if (share > largestShare && own > timesTheMean * mean)
      return [{ user, exposures: own, clicks: clicked, why: `${percent(share)} of all exposures` }];
    if (own >= manyExposures && clicked >= nearlyAll * own)
      return [{ user, exposures: own, clicks: clicked, why: `clicked ${percent(clicked / own)} of them` }];
    return [];
  });
  return found.toSorted((a, b) => b.exposures - a.exposures).slice(0, named);
}

/** Items with a photo and enough exposures in the training period, the most clicked first. */
export function itemsByRate({ catalogue, pageViews, exposures }: Dataset, least: number): Rate[] {
  const counted = {
    exposures: new Float64Array(catalogue.ids.length),
    clicks: new Float64Array(catalogue.ids.length),
  };
  const training = pageViews.start[pageViews.split.filter((split) => split === 0).length]!;
  for (let row = 0; row < training; row++) {
    counted.exposures[exposures.item[row]!]! += 1;
    counted.clicks[exposures.item[row]!]! += exposures.clicked[row]!;
  }
  return Array.from(catalogue.photo, (photo, item) =>
    photo < 0 || counted.exposures[item]! < least
      ? []
      : [rateOf(`${item}`, counted.exposures[item]!, counted.clicks[item]!)],
  )
    .flat()
    .toSorted((a, b) => b.rate - a.rate);
}
