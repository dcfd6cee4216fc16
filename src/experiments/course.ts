/** An experiment day by day: what each day's look would have said, and nothing that was not known then. */
import { groupRows } from '../groups.ts';
import { type Measured, mapped } from '../metrics/measured.ts';
import { holm } from '../metrics/multiple-comparisons.ts';
import { quantile } from '../metrics/quantile.ts';
import { type ArmEstimate, type Estimate, estimateArms, type Sample } from './estimates.ts';
import { absoluteDifference, type Difference, relativeDifference } from './lift.ts';
import {
  emptyTotals,
  type Figure,
  figures,
  type MetricName,
  metricNames,
  metrics,
  type Totals,
} from './metrics.ts';
import { boundary, lookP, tightestInformation } from './sequential.ts';

const level = 0.05;

/** Users of an arm with anything in the numerator from which on the normal approximation is trusted to every look. */
export const fewestActiveUsers = 100;

/** What users did, a row for a user on a day, or several. */
export type UserDays = Totals & {
  /** (R) */
  readonly user: Int32Array;
  /** From 0, in any order. (R) */
  readonly day: Int32Array;
};

/** Users with the arm of each, what they did from when they were in it, and what they had done before it began. */
export interface Observations {
  /** How many arms there are; the first is control. */
  readonly arms: number;
  /** (U) */
  readonly arm: Int32Array;
  /** Day of the first exposure. (U) */
  readonly entered: Int32Array;
  readonly rows: UserDays;
  /** (U) each; null where nothing of before is known. */
  readonly before: Totals | null;
}

export interface CourseOptions {
  readonly plannedDays: number;
  /** Whether what is known of before is used, where there is any. */
  readonly cuped: boolean;
  /** Quantile of users beyond which revenue counts as that much; null to take it as it is. */
  readonly winsorize: number | null;
  /** All without it. */
  readonly metrics?: readonly MetricName[] | undefined;
}

/** An interval and a p-value that hold at every look at once. */
export interface SequentialTest {
  readonly ci95: readonly [number, number];
  /** The smallest of all looks so far. */
  readonly p: number;
  /** The same, corrected by Holm over all treatments. */
  readonly pCorrected: number;
}

/** A treatment beside control. */
export interface Comparison {
  /** By CUPED where it is used, plain where not. */
  readonly absolute: Measured<Difference>;
  readonly relative: Measured<Difference>;
  /** Without CUPED. */
  readonly plain: { readonly absolute: Measured<Difference>; readonly relative: Measured<Difference> };
  readonly sequential: Measured<SequentialTest>;
  /** Limits of the relative lift at every look. */
  readonly relativeSequence: Measured<readonly [number, number]>;
}

export interface MetricLook {
  /** For each arm. */
  readonly arms: readonly ArmEstimate[];
  /** For each treatment. */
  readonly comparisons: readonly Comparison[];
  /** What revenue was cut at; null where it was not. */
  readonly cap: number | null;
}

/** What is known at the end of a day. */
export interface Look {
  readonly day: number;
  /** Users of each arm so far. */
  readonly users: readonly number[];
  /** Pairs of a user and a day on which there was anything: the information that sequential tests go by. */
  readonly userDays: number;
  readonly metrics: Readonly<Partial<Record<MetricName, MetricLook>>>;
}

/** Takes an experiment in, a day at a time. */
export class ExperimentCourse {
  readonly totals: Totals;
  readonly #data: Observations;
  readonly #options: CourseOptions;
  /** Rows and entries of each day. */
  readonly #rowsOf: ReturnType<typeof groupRows>;
  readonly #entriesOf: ReturnType<typeof groupRows>;
  /** Arm of those who have entered, −1 of others. */
  readonly #present: Int32Array;
  readonly #lastDay: Int32Array;
  /** Smallest p-value so far, by metric and treatment. */
  readonly #smallest: Readonly<Record<MetricName, number[]>>;
  /** User-days at which the sequential interval is tightest, told by the first day that has any. */
  #plannedUserDays: number | null = null;
  #userDays = 0;
  #day = 0;
  readonly days: number;

  /** @param days that are looked at, the first being day 0 of the observations */
  constructor(data: Observations, days: number, options: CourseOptions) {
    const users = data.arm.length;
    this.days = days;
    this.#data = data;
    this.#options = options;
    this.#rowsOf = groupRows(data.rows.day, days);
    this.#entriesOf = groupRows(data.entered, days);
    this.#present = new Int32Array(users).fill(-1);
    this.#lastDay = new Int32Array(users).fill(-1);
    this.totals = emptyTotals(users);
    const none = () => new Array<number>(data.arms - 1).fill(1);
    this.#smallest = { gmv: none(), orders: none(), ctr: none() };
  }

  /** What is known at the end of the next day; undefined after the last. */
  next(): Look | undefined {
    if (this.#day === this.days) return undefined;
    const day = this.#day++;
    this.#takeIn(day);
    if (this.#plannedUserDays === null && this.#userDays > 0) {
      // Counts alone, which tell nothing of a lift, so that tuning by them costs no validity.
      this.#plannedUserDays = (this.#userDays / (day + 1)) * this.#options.plannedDays;
    }
    const users = new Array<number>(this.#data.arms).fill(0);
    for (const arm of this.#present) if (arm >= 0) users[arm]! += 1;
    const wanted = this.#options.metrics ?? metricNames;
    return {
      day,
      users,
      userDays: this.#userDays,
      metrics: Object.fromEntries(wanted.map((name) => [name, this.#lookAt(name)])),
    };
  }

  #takeIn(day: number): void {
    const { arm, rows } = this.#data;
    const entries = this.#entriesOf;
    for (let at = entries.start[day]!; at < entries.start[day + 1]!; at++) {
      const user = entries.rows[at]!;
      this.#present[user] = arm[user]!;
    }
    for (let at = this.#rowsOf.start[day]!; at < this.#rowsOf.start[day + 1]!; at++) {
      const row = this.#rowsOf.rows[at]!;
      const user = rows.user[row]!;
      for (const figure of figures) this.totals[figure][user]! += rows[figure][row]!;
      if (this.#lastDay[user] !== day) this.#userDays++;
      this.#lastDay[user] = day;
    }
  }

  #lookAt(name: MetricName): MetricLook {
    const { before, arms } = this.#data;
    const { cuped } = this.#options;
    const { sample, cap } = this.#sampleOf(name, this.totals);
    const earlier = cuped && before !== null ? this.#sampleOf(name, before).sample : null;
    const estimates = estimateArms(sample, earlier, this.#present, arms);
    const [control, ...treatments] = estimates;
    if (control === undefined) throw new Error('an experiment without arms');
    const pairs = treatments.map((treatment, place) => {
      const plain = compared(control, treatment, (arm) => arm.plain);
      const judged =
        treatment.adjusted === null
          ? plain
          : compared(control, treatment, (arm) => arm.adjusted ?? arm.plain);
      const isEarly = Math.min(control.activeUsers, treatment.activeUsers) < fewestActiveUsers;
      return { ...judged, plain, isEarly, place };
    });
    const information = this.#information();
    const smallest = this.#smallest[name];
    for (const { absolute, isEarly, place } of pairs) {
      if (isEarly || absolute.kind === 'undefined') continue;
      const { value, standardError } = absolute.value;
      smallest[place] = Math.min(smallest[place]!, lookP(value / standardError, information));
    }
    const corrected = holm(smallest);
    const comparisons = pairs.map(({ absolute, relative, plain, isEarly, place }): Comparison => {
      const p = { p: smallest[place]!, pCorrected: corrected[place]! };
      const early: Measured<never> = {
        kind: 'undefined',
        why: `Before both arms have ${fewestActiveUsers} users with any ${metrics[name].numerator}, intervals that hold at every look are not to be trusted.`,
      };
      const limits = (difference: Difference) => sequence(difference, information);
      return {
        absolute,
        relative,
        plain,
        sequential: isEarly ? early : mapped(absolute, (difference) => ({ ci95: limits(difference), ...p })),
        relativeSequence: isEarly ? early : mapped(relative, limits),
      };
    });
    return { arms: estimates, comparisons, cap };
  }

  /** In units of what it is planned to be when the interval is tightest. */
  #information(): number {
    return (tightestInformation(level) * this.#userDays) / (this.#plannedUserDays ?? 1);
  }

  #sampleOf(name: MetricName, totals: Totals): { readonly sample: Sample; readonly cap: number | null } {
    const { numerator, denominator } = metrics[name];
    const { winsorize } = this.#options;
    const over = denominator === null ? null : totals[denominator];
    if (winsorize === null || numerator !== 'revenue') {
      return { sample: { numerator: totals[numerator], denominator: over }, cap: null };
    }
    const cap = this.#quantileOfPresent(totals, numerator, winsorize);
    const cut = totals[numerator].map((value) => Math.min(value, cap));
    return { sample: { numerator: cut, denominator: over }, cap };
  }

  #quantileOfPresent(totals: Totals, figure: Figure, share: number): number {
    const present = totals[figure].filter((_, user) => this.#present[user]! >= 0).sort();
    return present.length === 0 ? 0 : quantile(present, share);
  }
}

function compared(control: ArmEstimate, treatment: ArmEstimate, of: (arm: ArmEstimate) => Estimate) {
  const sides = [control, treatment].map((arm) => ({ ...of(arm), users: arm.users }));
  const [one, other] = [sides[0]!, sides[1]!];
  return { absolute: absoluteDifference(one, other), relative: relativeDifference(one, other) };
}

function sequence({ value, standardError }: Difference, information: number): readonly [number, number] {
  const half = boundary(information, level) * standardError;
  return [value - half, value + half];
}
