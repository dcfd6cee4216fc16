/** Counts of one subject as columns: smoothed click rates as logits, and counts as log1p, a column for each horizon. */
import { type Counts, horizons } from './decayed-counts.ts';

/** A rate counts as if the subject had been exposed so often before, at the rate one level up. */
const priorExposures = 20;

/** As if before the first event there had been a click and an exposure without one: a rate is never 0 or 1. */
const priorOfAll = { rate: 0.5, exposures: 2 };

/** A click rate for each horizon, between 0 and 1. (4) */
export type Rates = Float64Array;

/** The rates of everything together, towards which all others are drawn. */
export function ratesOfAll(counts: Counts): Rates {
  const above = new Float64Array(horizons.length).fill(priorOfAll.rate);
  return smoothed(counts, above, priorOfAll.exposures);
}

/**
 * (clicks + n · rate one level up) / (exposures + n), n = 20.
 * @param above null where exposures are not counted: then there is no rate
 */
export function ratesOf(counts: Counts, above: Rates | null): Rates | null {
  return above === null ? null : smoothed(counts, above, priorExposures);
}

function smoothed({ exposures, clicks }: Counts, above: Rates, weight: number): Rates {
  const rates = new Float64Array(horizons.length);
  for (let place = 0; place < rates.length; place++) {
    // A click that came late weighs more than its exposure.
    const clicked = Math.min(clicks[place]!, exposures[place]!);
    rates[place] = (clicked + weight * above[place]!) / (exposures[place]! + weight);
  }
  return rates;
}

/** What the columns of a subject are called: `item_rate_7d`, `item_exposures_log_7d`, `item_clicks_log_7d`, … */
export function countNames(subject: string, withExposures: boolean): string[] {
  const named = (what: string) => horizons.map(({ suffix }) => `${subject}_${what}${suffix}`);
  return withExposures
    ? [...named('rate'), ...named('exposures_log'), ...named('clicks_log')]
    : named('clicks_log');
}

/** Writes the values of `countNames` behind others. @param rates null where exposures are not counted */
export function pushCounts(values: number[], { exposures, clicks }: Counts, rates: Rates | null): void {
  if (rates !== null) {
    for (const rate of rates) values.push(Math.log(rate / (1 - rate)));
    for (const count of exposures) values.push(Math.log1p(count));
  }
  for (const count of clicks) values.push(Math.log1p(count));
}
