/** Training curves of rankers, for the report. */
import type { Curve } from '../report/report.ts';
import type { TableCell } from './table.ts';

/** Validation AUC of the rankers of the first seed and start, a line per row of the table; none where it is undefined. */
export function rankerCurves(cells: readonly TableCell[]): readonly Curve[] {
  const first = cells.filter(({ seed, start }) => seed === cells[0]?.seed && start === cells[0]?.start);
  const series = first.map(({ source, features, result }) => ({
    name: features === null ? 'none' : `${source} ${features}`,
    points: result.curve.flatMap(({ step, validationAuc }): [number, number][] =>
      validationAuc === null ? [] : [[step, validationAuc]],
    ),
  }));
  const curve = { title: 'Ranker: validation', xLabel: 'step', yLabel: 'AUC', series };
  return [curve].filter(({ series }) => series.some(({ points }) => points.length > 0));
}
