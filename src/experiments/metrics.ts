/** What arms are compared by: of each metric what is summed above and below the line, user by user. */

/** What is counted of users. */
export const figures = ['exposures', 'clicks', 'orders', 'revenue'] as const;
export type Figure = (typeof figures)[number];

/** Of each user how much there is. (U) each */
export type Totals = Readonly<Record<Figure, Float64Array>>;

export const metricNames = ['gmv', 'orders', 'ctr'] as const;
export type MetricName = (typeof metricNames)[number];

export interface Metric {
  readonly title: string;
  readonly numerator: Figure;
  /** null for a mean over users. */
  readonly denominator: Figure | null;
}

export const metrics: Readonly<Record<MetricName, Metric>> = {
  gmv: { title: 'GMV a user', numerator: 'revenue', denominator: null },
  orders: { title: 'Orders a user', numerator: 'orders', denominator: null },
  ctr: { title: 'CTR', numerator: 'clicks', denominator: 'exposures' },
};

export function emptyTotals(users: number): Totals {
  return {
    exposures: new Float64Array(users),
    clicks: new Float64Array(users),
    orders: new Float64Array(users),
    revenue: new Float64Array(users),
  };
}
