/** How many earlier clicks carry the attention, and whether it follows visual similarity. */
import { type Dataset, type Split, splits } from '../data/dataset.ts';
import { quantile } from '../metrics/quantile.ts';
import { spearman } from '../metrics/rank-correlation.ts';
import { userMean } from '../metrics/user-mean.ts';
import type { AttentionSummary, CorrelationSummary } from '../report/attention-summary.ts';
import type { AttendedClick } from './attention.ts';

/** With fewer earlier clicks a rank correlation is −1 or 1 and nothing between. */
const fewestForCorrelation = 3;

/** exp(entropy): 1 when one earlier click has all the weight, n when n share it evenly. */
export function effectiveItems({ history }: Pick<AttendedClick, 'history'>): number {
  const entropy = history.reduce((sum, { weight }) => sum - (weight > 0 ? weight * Math.log(weight) : 0), 0);
  return Math.exp(entropy);
}

/** @returns null where no click was attended */
export function summariseAttention(
  { pageViews }: Pick<Dataset, 'pageViews'>,
  attended: readonly AttendedClick[],
): AttentionSummary | null {
  const [first] = attended;
  if (first === undefined) return null;
  const mean = (of: (click: AttendedClick) => number) =>
    attended.reduce((sum, click) => sum + of(click), 0) / attended.length;
  const userOf = ({ pageView }: AttendedClick) => pageViews.user[pageView]!;
  return {
    split: splitOf(pageViews, first),
    clicks: attended.length,
    users: new Set(attended.map(userOf)).size,
    historyItems: mean(({ history }) => history.length),
    effectiveItems: mean(effectiveItems),
    concentration: concentration(attended),
    similarity: correlation(attended, userOf, ({ cosine }) => cosine),
    recency: correlation(attended, userOf, (_, place) => -place),
  };
}

function splitOf(pageViews: Dataset['pageViews'], { pageView }: AttendedClick): Split {
  return splits[pageViews.split[pageView]!]!;
}

function concentration(attended: readonly AttendedClick[]): AttentionSummary['concentration'] {
  const byLength = new Map<number, number[]>();
  for (const click of attended) {
    const values = byLength.get(click.history.length) ?? [];
    byLength.set(click.history.length, values);
    values.push(effectiveItems(click));
  }
  return Array.from(byLength, ([historyItems, values]) => {
    const sorted = Float64Array.from(values).sort();
    const [p5, p25, median, p75, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => quantile(sorted, share));
    return { historyItems, clicks: values.length, p5: p5!, p25: p25!, median: median!, p75: p75!, p95: p95! };
  }).sort((a, b) => a.historyItems - b.historyItems);
}

/** Of the weights with something else that earlier clicks have. */
function correlation(
  attended: readonly AttendedClick[],
  userOf: (click: AttendedClick) => number,
  other: (earlier: AttendedClick['history'][number], place: number) => number,
): CorrelationSummary | null {
  const known = attended.flatMap((click) => {
    if (click.history.length < fewestForCorrelation) return [];
    const weights = click.history.map(({ weight }) => weight);
    const value = spearman(weights, click.history.map(other));
    return value === null ? [] : [{ value, user: userOf(click) }];
  });
  if (known.length === 0) return null;
  const values = Float64Array.from(known, ({ value }) => value);
  const users = Int32Array.from(known, ({ user }) => user);
  const { mean, ci95 } = userMean(values, users);
  return { clicks: known.length, mean, ci95, histogram: histogramOf(values) };
}

function histogramOf(values: Float64Array): CorrelationSummary['histogram'] {
  const counts = new Int32Array(21);
  for (const value of values) counts[Math.round(10 * value) + 10]! += 1;
  return Array.from(counts, (clicks, bin) => ({ around: (bin - 10) / 10, clicks }));
}
