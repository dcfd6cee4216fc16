/** Whether a training period can be cut, so that rankers begin warm; what is done where it cannot. */
import type { Dataset } from '../data/dataset.ts';
import { newerPart, olderPart, trainingCut } from '../data/samplers/training-cut.ts';
import type { Measured } from '../metrics/measured.ts';
import { rowsOfSplit } from '../rankers/fields.ts';
import type { Start } from '../report/report.ts';
import type { EvaluationConfig } from './config.ts';

/**
 * From when on rankers that begin warm learn.
 * @returns a time in milliseconds, or why there is none
 */
export function warmStart(dataset: Dataset, olderShare: number): Measured {
  const cut = trainingCut(dataset, olderShare);
  if (cut === null) return notMeasured('all of the training period is of one time');
  for (const [name, part] of [
    ['older', olderPart(dataset, cut)],
    ['newer', newerPart(dataset, cut)],
  ] as const) {
    const rows = rowsOfSplit(part, 'train');
    const clicks = rows.reduce((sum, row) => sum + dataset.exposures.clicked[row]!, 0);
    if (clicks === 0 || clicks === rows.length)
      return notMeasured(
        `the ${name} part of the training period has ${clicks} clicked and ${rows.length - clicks} unclicked exposures`,
      );
  }
  return { kind: 'value', value: cut };
}

/** The starts that can be measured: from scratch where the training period cannot be cut, whatever was asked for. */
export function measuredStarts(
  dataset: Dataset,
  { starts, olderShare }: Pick<EvaluationConfig, 'starts' | 'olderShare'>,
): Start[] {
  if (warmStart(dataset, olderShare).kind === 'value') return starts;
  return ['scratch'];
}

function notMeasured(why: string): Measured<never> {
  return { kind: 'undefined', why: `Warm start was not measured: ${why}.` };
}
