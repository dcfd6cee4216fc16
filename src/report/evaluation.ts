/** What predictions of other rankers came to: the table, where they differ, and whether probabilities are right. */
import type { ReliabilityBin } from '../metrics/calibration.ts';
import type { Measured } from '../metrics/measured.ts';
import { decimals, integer, oneLine, percent } from '../text.ts';
import { type ReportRow, withoutLearning } from './report.ts';
import { judged, oneSeed, side } from './rows.ts';
import { interval, pValue, signedPoints } from './text.ts';

/** How the predictions of a model met the test exposures. */
export interface ModelCoverage {
  readonly model: string;
  /** Share of the test exposures that it predicts. */
  readonly share: number;
  /** Rows of its file that are of no test exposure. */
  readonly others: number;
  readonly keys: readonly string[];
}

export interface Evaluation {
  readonly title: string;
  readonly dataset: string;
  readonly datasetHash: string;
  readonly command: string;
  readonly startedAt: string;
  /** The model that the others are compared with. */
  readonly baseline: string;
  /** Test exposures that every model predicts: what all figures are of. */
  readonly testRows: number;
  readonly testUsers: number;
  /** All test exposures. */
  readonly allRows: number;
  readonly models: readonly ModelCoverage[];
  /** What is known without learning, then a row for each model, which is its `source`; the baseline has no lifts. */
  readonly rows: readonly ReportRow[];
  readonly reliability: readonly {
    readonly model: string;
    readonly bins: Measured<readonly ReliabilityBin[]>;
  }[];
}

/** The name of the model of a row. */
export function modelOf({ source, features }: Pick<ReportRow, 'source' | 'features'>): string {
  return source ?? (features === withoutLearning ? 'no learning' : features);
}

/** In a sentence for each model: how much better or worse it is than the first. */
export function evaluationSentences({ rows, baseline, testRows, testUsers, allRows }: Evaluation): string[] {
  const base = oneLine(baseline, 40);
  const compared = rows.flatMap((row) => {
    if (row.lifts === null) return [];
    const lift = judged(row.lifts.auc);
    const name = oneLine(modelOf(row), 40);
    if (lift === null) return [`What ${name} adds to ${base} cannot be told.`];
    const words = { better: 'is better than', worse: 'is worse than', unclear: 'cannot be told from' }[
      side(lift)
    ];
    return [
      `${name} ${words} ${base}: ${signedPoints(lift.difference)} points of AUC (95 % interval ${interval(lift.ci95)}, p ${pValue(lift.pCorrected)}; ${oneSeed}).`,
    ];
  });
  const power = rows.flatMap((row) => {
    const lift = row.lifts === null ? null : judged(row.lifts.auc);
    return lift === null ? [] : [lift.detectable];
  });
  const seen =
    power.length === 0
      ? []
      : [
          `With this many users a lift of ${decimals(100 * Math.max(...power), 2)} points would be seen with 80 % probability.`,
        ];
  const size = `Measured on ${integer(testRows)} test exposures of ${integer(testUsers)} users`;
  const share =
    testRows === allRows ? '' : `, ${percent(testRows / allRows)} of all: those that every model predicts`;
  return [...compared, ...seen, `${size}${share}.`];
}
