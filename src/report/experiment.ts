/** What an experiment came to: who was in which arm, what they did, how far arms are apart, and whether it holds. */
import type { Finding } from '../data/dataset.ts';
import type { MetricName } from '../experiments/metrics.ts';
import type { SampleRatio } from '../experiments/sample-ratio.ts';
import type { Measured } from '../metrics/measured.ts';

export interface ArmReport {
  readonly name: string;
  /** Share of the users that it should have, 0 to 1. */
  readonly share: number;
  readonly users: number;
  readonly exposures: number;
  readonly clicks: number;
  readonly orders: number;
  readonly revenue: number;
}

/** A difference looked at once. */
export interface FixedFigures {
  readonly value: number;
  readonly standardError: number;
  readonly ci95: readonly [number, number];
}

/** A treatment less control in the unit of the metric, and relative to control: 0.01 is one percent. */
export interface LiftFigures {
  readonly absolute: Measured<FixedFigures>;
  readonly relative: Measured<FixedFigures>;
}

/** What holds at every look at once. */
export interface SequentialFigures {
  readonly absolute: readonly [number, number];
  readonly relative: Measured<readonly [number, number]>;
  readonly p: number;
  /** By Holm over all treatments. */
  readonly pCorrected: number;
}

/** The look at the end of a day. */
export interface CoursePoint {
  /** The first is 1. */
  readonly day: number;
  /** End of the day, or of the experiment; ISO 8601. */
  readonly until: string;
  /** Of control and the treatment, so far. */
  readonly users: number;
  /** Relative lift with limits that hold at every look. */
  readonly lift: Measured<{ readonly value: number; readonly ci95: readonly [number, number] }>;
  /** The smallest p-value of all looks so far; null before the first. */
  readonly p: number | null;
}

export interface TreatmentReport extends LiftFigures {
  readonly arm: string;
  /** Of a single look at the planned end. */
  readonly p: Measured;
  readonly pCorrected: Measured;
  readonly sequential: Measured<SequentialFigures>;
  /** What CUPED made of it; null where it is not used. */
  readonly cuped: {
    readonly without: LiftFigures;
    /** Share of the variance of the difference that it took away. */
    readonly varianceReduction: Measured;
  } | null;
  readonly course: readonly CoursePoint[];
}

export interface MetricReport {
  readonly metric: MetricName;
  /** Of each arm, as it is, without CUPED. */
  readonly values: readonly Measured[];
  /** What a user's revenue was cut at; null where it was not. */
  readonly cap: number | null;
  readonly treatments: readonly TreatmentReport[];
}

/** CTR on items by how long they have been on sale: new ones are those that nobody has clicked yet. */
export interface ItemAgeReport {
  readonly name: string;
  /** In the order of the arms of the report. */
  readonly arms: readonly {
    readonly exposures: number;
    readonly clicks: number;
    readonly ctr: Measured<{ readonly value: number; readonly ci95: readonly [number, number] }>;
  }[];
  /** Of each treatment relative to control, looked at once. */
  readonly lifts: readonly Measured<FixedFigures>[];
}

/** What is known besides of shoppers that are simulated. */
export interface SimulationReport {
  /** CTR that is to be expected of the candidates as they are drawn. */
  readonly unranked: number;
  /** The same in the order of what each shopper would click most. */
  readonly ideal: number;
  /** Those of which anything was shown. */
  readonly ages: readonly ItemAgeReport[];
}

export interface ExperimentReport {
  readonly name: string;
  readonly command: string;
  readonly startedAt: string;
  /** ISO 8601: the begin of the experiment, from when on arms are compared, and the end of what was looked at. */
  readonly period: { readonly start: string; readonly from: string; readonly until: string };
  readonly days: number;
  readonly plannedDays: number;
  readonly looks: 'daily' | 'once';
  readonly primaryMetric: MetricName;
  readonly winsorize: number | null;
  /** Days before whose events CUPED went by; null where it was not used. */
  readonly daysBefore: number | null;
  /** The first is control. */
  readonly arms: readonly ArmReport[];
  readonly sampleRatio: SampleRatio;
  /** Users who were seen in several arms, and are in none. */
  readonly mixedUsers: number;
  /** The primary one first. */
  readonly metrics: readonly MetricReport[];
  readonly rows: Readonly<Record<'exposures' | 'clicks' | 'orders', number>>;
  readonly understood: readonly string[];
  readonly findings: readonly Finding[];
  /** null for shoppers of flesh and blood. */
  readonly simulation: SimulationReport | null;
}
