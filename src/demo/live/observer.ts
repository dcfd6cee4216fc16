/** What somebody sees of an experiment who knows the shoppers: how arms do on new items, and what could be had at most. */
import { type ArmEstimate, estimateArms } from '../../experiments/estimates.ts';
import { fixedTest, relativeDifference } from '../../experiments/lift.ts';
import { type Measured, mapped } from '../../metrics/measured.ts';
import type { FixedFigures, ItemAgeReport, SimulationReport } from '../../report/experiment.ts';
import type { ShopItem } from '../../shop/catalogue.ts';
import { clickProbability, DAY, onSaleAt, type Visit } from '../../shop/shoppers.ts';
import { decimals } from '../../text.ts';

/** A page view that is over. */
export interface Seen {
  readonly id: string;
  readonly visit: Visit;
  /** When it was shown, milliseconds. */
  readonly time: number;
  readonly arm: string;
  /** Indices into the catalogue, as the shop drew them. */
  readonly candidates: readonly number[];
  /** By position. */
  readonly exposures: readonly {
    readonly item: number;
    readonly clicked: boolean;
    readonly bought: boolean;
  }[];
}

/** Items by how long they have been on sale. */
const ages: readonly { readonly name: string; readonly has: (days: number | null) => boolean }[] = [
  { name: 'on sale before', has: (days) => days === null },
  { name: 'new, all', has: (days) => days !== null },
  { name: 'new, first day', has: (days) => days !== null && days < 1 },
  { name: 'new, days 2 to 3', has: (days) => days !== null && days >= 1 && days < 3 },
  { name: 'new, days 4 to 7', has: (days) => days !== null && days >= 3 && days < 7 },
  { name: 'new, later', has: (days) => days !== null && days >= 7 },
];

/** Who clicked anything, for an interval. */
const fewestUsers = 20;

/** Of a user, on items of an age. */
interface Count {
  readonly arm: string;
  exposures: number;
  clicks: number;
}

export class Observer {
  readonly #firstNew: number;
  readonly #days: number;
  readonly #ofAge = ages.map(() => new Map<string, Count>());
  readonly #ofArm = new Map<string, Omit<Count, 'arm'>>();
  /** Clicks that are to be expected. */
  readonly #expected = { exposures: 0, unranked: 0, ideal: 0 };

  /** @param shop the index of its first new item, and the days of its log */
  constructor({ firstNew, days }: { readonly firstNew: number; readonly days: number }) {
    this.#firstNew = firstNew;
    this.#days = days;
  }

  add(
    { visit: { shopper, taste }, time, arm, candidates, exposures }: Seen,
    catalogue: readonly ShopItem[],
  ): void {
    for (const { item, clicked } of exposures) {
      const shown = catalogue[item]!;
      const days = item < this.#firstNew ? null : (time - onSaleAt(shown, this.#days)) / DAY;
      for (const [place, { has }] of ages.entries())
        if (has(days)) count(this.#ofAge[place]!, shopper.id, { arm, exposures: 0, clicks: 0 }, clicked);
      count(this.#ofArm, arm, { exposures: 0, clicks: 0 }, clicked);
    }
    const chance = (item: number, position: number) =>
      clickProbability(catalogue[item]!, shopper, taste, position);
    const expect = (order: readonly number[]) =>
      order.slice(0, exposures.length).reduce((sum, item, position) => sum + chance(item, position), 0);
    this.#expected.exposures += exposures.length;
    this.#expected.unranked += expect(candidates);
    this.#expected.ideal += expect([...candidates].sort((a, b) => chance(b, 0) - chance(a, 0)));
  }

  /** Such as `CTR control 13.1 %, images 15.0 %`. */
  summary(): string {
    const arms = [...this.#ofArm].sort(([a], [b]) => (a < b ? -1 : 1));
    const parts = arms.map(([arm, each]) => `${arm} ${decimals((100 * each.clicks) / each.exposures, 1)} %`);
    return `CTR ${parts.join(', ')}`;
  }

  /** @param arms names, that of control first */
  report(arms: readonly string[]): SimulationReport {
    const { exposures, unranked, ideal } = this.#expected;
    return {
      unranked: unranked / exposures,
      ideal: ideal / exposures,
      ages: ages.flatMap(({ name }, place) => {
        const counts = [...this.#ofAge[place]!.values()];
        return counts.length === 0 ? [] : [ageReport(name, counts, arms)];
      }),
    };
  }
}

function count<Counted extends Omit<Count, 'arm'>>(
  counts: Map<string, Counted>,
  key: string,
  nothing: Counted,
  clicked: boolean,
): void {
  const own = counts.get(key) ?? nothing;
  counts.set(key, own);
  own.exposures++;
  if (clicked) own.clicks++;
}

function ageReport(name: string, counts: readonly Count[], arms: readonly string[]): ItemAgeReport {
  const arm = Int32Array.from(counts, (each) => arms.indexOf(each.arm));
  const sample = {
    numerator: Float64Array.from(counts, ({ clicks }) => clicks),
    denominator: Float64Array.from(counts, ({ exposures }) => exposures),
  };
  const estimates = estimateArms(sample, null, arm, arms.length);
  const sum = (own: number, figure: 'exposures' | 'clicks') =>
    counts.reduce((all, each, user) => (arm[user] === own ? all + each[figure] : all), 0);
  const [control, ...treatments] = estimates;
  return {
    name,
    arms: estimates.map((estimate, own) => {
      return { exposures: sum(own, 'exposures'), clicks: sum(own, 'clicks'), ctr: ctrOf(estimate) };
    }),
    lifts: treatments.map((treatment) => liftOf(control, treatment)),
  };
}

function liftOf(control: ArmEstimate | undefined, treatment: ArmEstimate): Measured<FixedFigures> {
  if (control === undefined || !isEnough(control) || !isEnough(treatment)) return tooFew;
  const side = ({ users, plain }: ArmEstimate) => ({ users, ...plain });
  return mapped(relativeDifference(side(control), side(treatment)), (difference) => {
    const { value, standardError } = difference;
    return { value, standardError, ci95: fixedTest(difference).ci95 };
  });
}

/** Normal approximations need users. */
function isEnough({ activeUsers }: ArmEstimate): boolean {
  return activeUsers >= fewestUsers;
}

const tooFew: Measured<never> = {
  kind: 'undefined',
  why: `Fewer than ${fewestUsers} users of an arm clicked any of them.`,
};

function ctrOf(
  estimate: ArmEstimate,
): Measured<{ readonly value: number; readonly ci95: readonly [number, number] }> {
  if (!isEnough(estimate)) return tooFew;
  const { value, variance } = estimate.plain;
  const half = 1.96 * Math.sqrt(variance);
  return { kind: 'value', value: { value, ci95: [value - half, value + half] } };
}
