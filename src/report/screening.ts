/** Which sources were left out before rankers were trained, in words. */
import { known } from '../metrics/measured.ts';
import { decimals } from '../text.ts';
import type { Report, SourceScreening } from './report.ts';
import { sourceName } from './text.ts';

/** null where nothing was screened. */
export function screeningSentence({ screening }: Pick<Report, 'screening'>): string | null {
  if (screening === null) return null;
  const { seed, keep, sources } = screening;
  const by = `Screened by SimScore AUC on the validation period, seed ${seed}, of which the best ${keep} went on`;
  const told = (verdict: Verdict) =>
    sources
      .filter((one) => one.verdict === verdict)
      .map((one) => `${sourceName(one.source)} (${aucOf(one)})`);
  const parts = [
    ['Left out, without rankers', told('left out')],
    ['They went on', told('best')],
    ['Not to be told from the last of these, and so went on', told('close')],
    ['Asked for, and so went on', told('asked for')],
    ['Without a figure, and so went on', told('not known')],
  ] as const;
  const lists = parts.flatMap(([text, names]) =>
    names.length === 0 ? [] : [`${text}: ${names.join(', ')}.`],
  );
  const none = told('left out').length === 0 ? ['None was left out.'] : [];
  const correction =
    'Screening saw nothing of the test period, so p-values are corrected for the lifts that were tested on it alone.';
  return [`${by}.`, ...none, ...lists, correction].join(' ');
}

type Verdict = SourceScreening['sources'][number]['verdict'];

function aucOf({ simScoreAuc }: SourceScreening['sources'][number]): string {
  const auc = known(simScoreAuc);
  return auc === null ? '–' : decimals(auc, 3);
}
