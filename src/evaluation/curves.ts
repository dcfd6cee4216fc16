/** Training curves of rankers, for the report. */
import type { Curve } from '../report/report.ts';
import type { RankerRun } from './table.ts';

/** Validation AUC of the rankers of the first seed and start, a line per row of the table; none where it is undefined. */
export function rankerCurves(runs: readonly RankerRun[]): readonly Curve[] {
  const first = runs.filter(({ seed, start }) => seed === runs[0]?.seed && start === runs[0]?.start);
  const series = first.map(({ source, features, result }) => ({
    name: features === null ? 'none' : `${source} ${features}`,
    points: result.curve.flatMap(({ step, validationAuc }): [number, number][] =>
      validationAuc === null ? [] : [[step, validationAuc]],
    ),
  }));
  const curve = { title: 'Ranker: validation', xLabel: 'step', yLabel: 'AUC', series };
  return [curve].filter(({ series }) => series.some(({ points }) => points.length > 0));
}
