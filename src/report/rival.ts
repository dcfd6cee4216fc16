/** COURIER against the other sources: the best of them in a sentence, each in a table. */

import type { Report, VersusOther } from './report.ts';
import { judged, oneSeed, significance, unjudgedText } from './rows.ts';
import { featuresName, interval, pValue, signedPoints, sourceName } from './text.ts';

/** Of the rows that the report is about; null where there is nothing to compare. */
export function rivalSentence({ versusBestOther }: Pick<Report, 'versusBestOther'>): string | null {
  const [first] = versusBestOther;
  if (first === undefined) return null;
  const { features, other, seeds } = first;
  const name = `${sourceName(other.source)} as ${featuresName(other.features)}`;
  const rivals = `Against the best row of any other source, ${name}, COURIER's best, as ${featuresName(features)}`;
  const lift = judged(first.lift);
  if (lift === null) return `${rivals}: the difference of AUC ${unjudgedText(first.lift)}`;
  const count = versusBestOther.filter((one) => judged(one.lift) !== null).length;
  const p = `p ${lift.pCorrected < 0.001 ? '' : '= '}${pValue(lift.pCorrected)}`;
  const corrected = count === 1 ? '' : `, corrected for ${count} such comparisons`;
  const evidence = `95 % interval ${interval(lift.ci95)}, ${p}${corrected}, ${seeds.length === 1 ? oneSeed : `${seeds.length} seeds`}`;
  const chance = lift.pCorrected < significance ? '' : ', no more than chance can do';
  return `${rivals}, makes a difference of ${signedPoints(lift.difference)} points of AUC${chance} (${evidence}).`;
}

export const othersNote =
  'COURIER against each other source that is fed alike: difference of AUC in points (hundredths), above zero where COURIER is better. p (Holm): corrected for all differences of this table; the intervals are not.';

export const othersTitles = [
  'COURIER against',
  'Features',
  'Start',
  'Difference',
  '95 % interval',
  'p',
  'p (Holm)',
] as const;

/** One for each title; dashes where the difference cannot be judged. */
export function othersCells({ other, features, start, lift }: VersusOther): readonly [string, ...string[]] {
  const known = judged(lift);
  const figures =
    known === null
      ? ['–', '–', '–', '–']
      : [signedPoints(known.difference), interval(known.ci95), pValue(known.p), pValue(known.pCorrected)];
  return [sourceName(other.source), featuresName(features), start, ...figures];
}
