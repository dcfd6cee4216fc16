/** The looks of an experiment as the figures of its report. */

import type { Comparison, Look, MetricLook } from '../../experiments/course.ts';
import type { Difference } from '../../experiments/lift.ts';
import { fixedTest } from '../../experiments/lift.ts';
import type { MetricName } from '../../experiments/metrics.ts';
import { known, type Measured, mapped } from '../../metrics/measured.ts';
import { holm } from '../../metrics/multiple-comparisons.ts';
import type {
  CoursePoint,
  FixedFigures,
  LiftFigures,
  MetricReport,
  TreatmentReport,
} from '../../report/experiment.ts';

/** Where the looks are in time. */
interface Days {
  /** End of each day; ISO 8601. */
  readonly ends: readonly string[];
  /** Names of all arms. */
  readonly arms: readonly string[];
}

/**
 * @param looks of all days, the last is what the figures are of
 * @returns nothing where a metric was not looked at
 */
export function metricReport(metric: MetricName, looks: readonly Look[], days: Days): MetricReport[] {
  const last = looks.at(-1)?.metrics[metric];
  if (last === undefined) return [];
  const fixed = last.comparisons.map(({ absolute }) =>
    mapped(absolute, (difference) => fixedTest(difference).p),
  );
  const tested = fixed.flatMap((p) => known(p) ?? []);
  const corrected = new Map(holm(tested).map((value, place) => [tested[place], value]));
  const treatments = last.comparisons.map((comparison, place): TreatmentReport => {
    const { absolute, relative, sequential, relativeSequence } = comparison;
    const p = fixed[place]!;
    return {
      arm: days.arms[place + 1]!,
      absolute: mapped(absolute, fixedFigures),
      relative: mapped(relative, fixedFigures),
      p,
      // Equal p-values are corrected to the same.
      pCorrected: mapped(p, (value) => corrected.get(value) ?? value),
      sequential: mapped(sequential, ({ ci95, p, pCorrected }) => {
        return { absolute: ci95, relative: relativeSequence, p, pCorrected };
      }),
      cuped: cupedOf(comparison, last),
      course: looks.map((look): CoursePoint => courseOf(look, metric, place, days)),
    };
  });
  return [
    {
      metric,
      values: last.arms.map(({ plain }) => finite(plain.value)),
      cap: last.cap,
      treatments,
    },
  ];
}

function courseOf({ day, users, metrics }: Look, metric: MetricName, place: number, days: Days): CoursePoint {
  const comparison = metrics[metric]?.comparisons[place];
  const none: Measured<never> = { kind: 'undefined', why: 'It was not looked at.' };
  const lift =
    comparison === undefined
      ? none
      : comparison.relative.kind === 'undefined'
        ? comparison.relative
        : joined(comparison.relative.value, comparison.relativeSequence);
  const sequential = comparison === undefined ? null : known(comparison.sequential);
  return {
    day: day + 1,
    until: days.ends[day]!,
    users: users[0]! + users[place + 1]!,
    lift,
    p: sequential?.p ?? null,
  };
}

function joined({ value }: Difference, limits: Measured<readonly [number, number]>) {
  return mapped(limits, (ci95) => ({ value, ci95 }));
}

function cupedOf({ plain, absolute }: Comparison, { arms }: MetricLook): TreatmentReport['cuped'] {
  if (arms.every(({ adjusted }) => adjusted === null)) return null;
  const without: LiftFigures = {
    absolute: mapped(plain.absolute, fixedFigures),
    relative: mapped(plain.relative, fixedFigures),
  };
  if (plain.absolute.kind === 'undefined') return { without, varianceReduction: plain.absolute };
  const { standardError } = plain.absolute.value;
  const varianceReduction = mapped(absolute, (own) => 1 - (own.standardError / standardError) ** 2);
  return { without, varianceReduction };
}

function fixedFigures(difference: Difference): FixedFigures {
  const { value, standardError } = difference;
  return { value, standardError, ci95: fixedTest(difference).ci95 };
}

function finite(value: number): Measured {
  return Number.isFinite(value)
    ? { kind: 'value', value }
    : { kind: 'undefined', why: 'The arm has no user.' };
}
