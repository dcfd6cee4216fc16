/** How far a treatment is from control, in the metric's own unit and relative to control. */
import type { Measured } from '../metrics/measured.ts';
import { studentQuantile, studentTwoSided } from '../metrics/student-t.ts';
import type { Estimate } from './estimates.ts';

/** A difference with its standard error. */
export interface Difference {
  readonly value: number;
  readonly standardError: number;
  /** As of Welch and Satterthwaite. */
  readonly degreesOfFreedom: number;
}

/** What may be said of it when it is looked at once, at a time that was fixed before. */
export interface FixedTest {
  readonly ci95: readonly [number, number];
  /** Two-sided. */
  readonly p: number;
}

interface Side extends Estimate {
  readonly users: number;
}

/** Treatment less control: Welch's t of two means (The Generalization of 'Student's' Problem, Biometrika 1947). */
export function absoluteDifference(control: Side, treatment: Side): Measured<Difference> {
  return difference(treatment.value - control.value, [
    { variance: control.variance, users: control.users },
    { variance: treatment.variance, users: treatment.users },
  ]);
}

/**
 * Treatment / control − 1, its variance by the delta method. That the mean of before over all arms is a draw too counts
 * for nothing here: its part is as small as the square of the lift.
 */
export function relativeDifference(control: Side, treatment: Side): Measured<Difference> {
  if (!(control.value > 0)) {
    return { kind: 'undefined', why: 'Control is not above 0, so nothing is relative to it.' };
  }
  const slope = treatment.value / control.value ** 2;
  return difference(treatment.value / control.value - 1, [
    { variance: slope ** 2 * control.variance, users: control.users },
    { variance: treatment.variance / control.value ** 2, users: treatment.users },
  ]);
}

export function fixedTest({ value, standardError, degreesOfFreedom }: Difference): FixedTest {
  const half = -studentQuantile(0.025, degreesOfFreedom) * standardError;
  return {
    ci95: [value - half, value + half],
    p: studentTwoSided(value / standardError, degreesOfFreedom),
  };
}

function difference(
  value: number,
  parts: readonly { readonly variance: number; readonly users: number }[],
): Measured<Difference> {
  if (parts.some(({ users }) => users < 2)) {
    return { kind: 'undefined', why: 'An arm has fewer than two users.' };
  }
  const variance = parts.reduce((sum, part) => sum + part.variance, 0);
  if (variance === 0) return { kind: 'undefined', why: 'It is the same for every user.' };
  const squares = parts.reduce((sum, part) => sum + part.variance ** 2 / (part.users - 1), 0);
  return {
    kind: 'value',
    value: { value, standardError: Math.sqrt(variance), degreesOfFreedom: variance ** 2 / squares },
  };
}
