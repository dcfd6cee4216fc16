/** Users of a shop while an experiment goes on: they come on some days, click, and a few of them spend a lot. */
import type { Observations } from '../../src/experiments/course.ts';
import { emptyTotals, type Figure, figures, type Totals } from '../../src/experiments/metrics.ts';
import type { Random } from '../../src/random.ts';

export interface LiveShop {
  readonly users: number;
  readonly days: number;
  /** Days before the experiment in which the same users came, too; 0 for none. */
  readonly daysBefore: number;
  /** Visits a day of the median user; at least one in all. */
  readonly visits: number;
  /** That a visit ends with an order. */
  readonly conversion: number;
  /** Of the logarithm of what an order comes to; 1 and above is a heavy tail. */
  readonly orderSpread: number;
  /** Of the logarithms of visits and of what orders come to, between users. */
  readonly userSpread: number;
}

/** Many users, few orders, of which some are very large. */
export const heavyTailed: LiveShop = {
  users: 4000,
  days: 28,
  daysBefore: 28,
  visits: 0.15,
  conversion: 0.12,
  orderSpread: 1.2,
  userSpread: 0.7,
};

/** Users of a shop where people buy every few days. */
export const regulars: LiveShop = {
  users: 4000,
  days: 28,
  daysBefore: 28,
  visits: 0.5,
  conversion: 0.8,
  orderSpread: 0.8,
  userSpread: 0.35,
};

/** What users do, all in the arm 0: who draws arms puts them into `arm`. */
export function drawShop(random: Random, shop: LiveShop): Observations {
  const { users, days, daysBefore } = shop;
  const columns: Record<'user' | 'day' | Figure, number[]> = {
    ...{ user: [], day: [], exposures: [], clicks: [], orders: [], revenue: [] },
  };
  const before = emptyTotals(users);
  const entered = new Int32Array(users);
  for (let user = 0; user < users; user++) {
    const person = {
      visits: shop.visits * Math.exp(shop.userSpread * random.normal()),
      spending: 20 * Math.exp(shop.userSpread * random.normal()),
      interest: 0.02 + 0.1 * random.uniform(),
    };
    for (let visits = poisson(random, person.visits * daysBefore); visits > 0; visits--) {
      const visit = drawVisit(random, shop, person);
      for (const figure of figures) before[figure][user]! += visit[figure];
    }
    entered[user] = days;
    for (let visits = Math.max(1, poisson(random, person.visits * days)); visits > 0; visits--) {
      const visit = drawVisit(random, shop, person);
      const day = random.integer(days);
      entered[user] = Math.min(entered[user]!, day);
      columns.user.push(user);
      columns.day.push(day);
      for (const figure of figures) columns[figure].push(visit[figure]);
    }
  }
  const rows = {
    user: Int32Array.from(columns.user),
    day: Int32Array.from(columns.day),
    exposures: Float64Array.from(columns.exposures),
    clicks: Float64Array.from(columns.clicks),
    orders: Float64Array.from(columns.orders),
    revenue: Float64Array.from(columns.revenue),
  };
  return { arms: 2, arm: new Int32Array(users), entered, rows, before: daysBefore === 0 ? null : before };
}

/** The same users with another arm each. */
export function dealt(observations: Observations, armOf: (user: number) => number): Observations {
  return { ...observations, arm: observations.arm.map((_, user) => armOf(user)) };
}

/** The same users, of whom those of arm 1 spend more. */
export function lifted(observations: Observations, lift: number): Observations {
  const { arm, rows } = observations;
  const revenue = rows.revenue.map((value, row) => (arm[rows.user[row]!] === 1 ? value * (1 + lift) : value));
  return { ...observations, rows: { ...rows, revenue } };
}

/** Of each user everything until the end. */
export function totalsOf({ arm, rows }: Observations): Totals {
  const totals = emptyTotals(arm.length);
  for (const figure of figures)
    for (let row = 0; row < rows.user.length; row++) totals[figure][rows.user[row]!]! += rows[figure][row]!;
  return totals;
}

function drawVisit(
  random: Random,
  { conversion, orderSpread }: LiveShop,
  { spending, interest }: { readonly spending: number; readonly interest: number },
) {
  const exposures = 5 + random.integer(8);
  let clicks = 0;
  for (let exposure = 0; exposure < exposures; exposure++) if (random.uniform() < interest) clicks++;
  const orders = random.uniform() < conversion ? 1 : 0;
  const revenue = orders === 0 ? 0 : spending * Math.exp(orderSpread * random.normal());
  return { exposures, clicks, orders, revenue };
}

/** By counting the uniform draws whose product stays above e^−mean (Knuth, 1969). */
function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let [count, product] = [0, random.uniform()];
  while (product > limit) {
    count++;
    product *= random.uniform();
  }
  return count;
}
