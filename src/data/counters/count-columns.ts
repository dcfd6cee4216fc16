/** Counts of one subject as columns: smoothed click rates as logits, and counts as log1p, a column for each horizon. */
import { type Counts, horizons } from './decayed-counts.ts';

/** A rate counts as if the subject had been exposed so often before, at the rate one level up. */
const priorExposures = 20;

/** As if before the first event there had been a click and an exposure without one: a rate is never 0 or 1. */
const priorOfAll = { rate: 0.5, exposures: 2 };

/** A click rate for each horizon, between 0 and 1. (4) */
export type Rates = Float64Array;

export function noRates(): Rates {
  return new Float64Array(horizons.length);
}

const half = noRates().fill(priorOfAll.rate);

/** The rates of everything together, towards which all others are drawn. @param rates where to write them */
export function ratesOfAll(counts: Counts, rates: Rates): void {
  smooth(counts, half, priorOfAll.exposures, rates);
}

/** (clicks + n · rate one level up) / (exposures + n), n = 20. @param rates where to write them */
export function ratesOf(counts: Counts, above: Rates, rates: Rates): void {
  smooth(counts, above, priorExposures, rates);
}

function smooth({ exposures, clicks }: Counts, above: Rates, weight: number, rates: Rates): void {
  for (let place = 0; place < rates.length; place++) {
    // A click that came late weighs more than its exposure.
    const clicked = Math.min(clicks[place]!, exposures[place]!);
    rates[place] = (clicked + weight * above[place]!) / (exposures[place]! + weight);
  }
}

/** What the columns of a subject are called: `item_rate_7d`, `item_exposures_log_7d`, `item_clicks_log_7d`, … */
export function countNames(subject: string, withExposures: boolean): string[] {
  const named = (what: string) => horizons.map(({ suffix }) => `${subject}_${what}${suffix}`);
  return withExposures
    ? [...named('rate'), ...named('exposures_log'), ...named('clicks_log')]
    : named('clicks_log');
}

/**
 * Writes the values of `countNames`.
 * @param rates null where exposures are not counted
 * @param at where they begin
 * @returns where they end
 */
export function writeCounts(
  values: Float64Array,
  at: number,
  { exposures, clicks }: Counts,
  rates: Rates | null,
): number {
  let next = at;
  if (rates !== null) {
    for (let place = 0; place < rates.length; place++)
      values[next++] = Math.log(rates[place]! / (1 - rates[place]!));
    for (let place = 0; place < exposures.length; place++) values[next++] = Math.log1p(exposures[place]!);
  }
  for (let place = 0; place < clicks.length; place++) values[next++] = Math.log1p(clicks[place]!);
  return next;
}
