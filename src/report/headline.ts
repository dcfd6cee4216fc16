/** The result in one plain sentence, and what a careful reader has to know beside it. */

import type { Lift } from '../metrics/lift.ts';
import { known } from '../metrics/measured.ts';
import { decimals, integer, oneLine, percent } from '../text.ts';
import type { EmbeddingFigures, Report } from './report.ts';
import {
  baselineOf,
  type ComparedRow,
  comparedRows,
  type LiftedRow,
  liftedRows,
  oneSeed,
  resultRows,
  side,
  unjudgedText,
  unlearnedOf,
  verdict,
} from './rows.ts';
import { isWhole } from './sized-source.ts';
import { featuresName, interval, pValue, signedPoints, sourceName } from './text.ts';

/**
 * The sentence a report opens with. It claims a lift only when the 95 % interval excludes zero and the p-value
 * still tells it from chance after correction for all lifts of the table, and never from one seed.
 */
export function headline(report: Report): string {
  const leak = leakSentence(report);
  return leak === null ? claim(report) : `${leak} ${claim(report)}`;
}

function claim(report: Report): string {
  const row = headlineRow(report);
  if (row === undefined) return withoutLift(report);
  const { lift } = row;
  const subject = `${capital(sourceName(row.source))} embeddings`;
  const size = decimals(100 * Math.abs(lift.difference), digitsFor(lift));
  const change = `${signedPoints(lift.difference, digitsFor(lift))} points against the model without images`;
  const lifts = liftedRows(report.rows).length;
  const evidence = `95 % interval ${interval(lift.ci95, digitsFor(lift))}, ${pText(lift, lifts)}`;
  if (lift.covers === 'users') return `${subject} change test AUC by ${change} (${evidence}; ${oneSeed}).`;
  switch (verdict(lift)) {
    case 'better':
      return `${subject} lift test AUC by ${size} points over the model without images (${evidence}).`;
    case 'worse':
      return `${subject} lower test AUC by ${size} points against the model without images (${evidence}).`;
    case 'unclear':
      return side(lift) === 'unclear'
        ? `${subject} make no measurable difference to test AUC: ${change} (${evidence}).`
        : `${subject} may change test AUC, but not by more than chance can among ${comparisons(lifts)}: ${change} (${evidence}).`;
  }
}

/** Sentences that put the headline into proportion: start, rows chosen among, best rival, power, size of the test. */
export function context(report: Report): string[] {
  const row = headlineRow(report);
  const unlearned = unlearnedSentence(report);
  const size = `Measured on ${integer(report.testRows)} test exposures of ${integer(report.testUsers)} users.`;
  const uncomparable = uncomparableSentence(report);
  const always = [unlearned, uncomparable].filter((text) => text !== null);
  if (row === undefined) return [...always, size];
  const sentences = [
    `The ranker sees the embeddings as ${featuresName(row.features)}.`,
    startText(row, report),
  ];
  const choices = liftedRows(headlineChoices(report)).length;
  if (choices > 1) {
    sentences.push(
      `This is the best of ${choices} such rows; the p-value is corrected for all ${liftedRows(report.rows).length} lifts of the table, but the interval does not allow for that choice.`,
    );
  }
  const others = liftedRows(resultRows(report)).filter(
    (other) => other.source !== row.source && isWhole(other),
  );
  const rival = best(others);
  if (rival !== undefined) {
    const name = `${sourceName(rival.source)} as ${featuresName(rival.features)}`;
    sentences.push(
      `The best row of any other source, ${name}, changes AUC by ${signedPoints(rival.lift.difference)} points.`,
    );
  }
  sentences.push(...always);
  const choice = choiceText(report);
  return [...sentences, ...(choice === null ? [] : [choice]), powerText(row), size];
}

/**
 * What base features reach without learning. A table whose ranker without images is not better cannot be believed, and
 * says so.
 * @returns null where one of the two is not known
 */
export function unlearnedSentence(report: Report): string | null {
  const { unlearned } = report;
  const [auc, baseline] = [knownUnlearned(report), knownBaseline(report)];
  if (unlearned === null || auc === null || baseline === null) return null;
  const names = unlearned.map((name) => oneLine(name)).join(' + ');
  const text = `Without learning anything, ${names} reaches a test AUC of ${decimals(auc, 4)}`;
  return auc < baseline
    ? `${text}, and the ranker without images ${decimals(baseline, 4)}.`
    : `${text}, and the ranker without images only ${decimals(baseline, 4)}: this table cannot be believed.`;
}

/** Test AUC of the ranker without images that the result is compared with. */
function knownBaseline(report: Report): number | null {
  const [first] = resultRows(report);
  if (first === undefined) return null;
  return known(baselineOf(report.rows, first.start)?.auc ?? first.auc)?.mean ?? null;
}

/** Test AUC of what is known without learning. */
function knownUnlearned(report: Report): number | null {
  const [first] = resultRows(report);
  const row = first === undefined ? undefined : unlearnedOf(report.rows, first.start);
  return row === undefined ? null : (known(row.auc)?.mean ?? null);
}

/** Sources whose encoder has seen clicks of the test period, which the table was asked to take all the same. */
export function leakSentence({ embeddings }: Report): string | null {
  const names = embeddings.filter(({ leaks }) => leaks).map(({ source }) => sourceName(source));
  if (names.length === 0) return null;
  return `Not to be believed: the encoder of ${names.join(', ')} has learned from clicks of the test period.`;
}

/** Sources whose rows cannot differ from none: of which no test exposure can be compared with a history, or with one embedding for all. */
export function uncomparableSentence({ embeddings }: Report): string | null {
  const namesOf = (holds: (figures: EmbeddingFigures) => boolean) =>
    embeddings
      .filter(holds)
      .map(({ source }) => sourceName(source))
      .join(', ');
  const unknown = namesOf(({ comparable }) => known(comparable) === 0);
  const same = namesOf((figures) => figures.same && known(figures.comparable) !== 0);
  const why = [
    ...(unknown === ''
      ? []
      : [`Of no test exposure the embeddings of ${unknown} know both candidate and history`]),
    ...(same === '' ? [] : [`All items have the same embedding of ${same}`]),
  ];
  return why.length === 0
    ? null
    : `${why.join('. ')}: such a row cannot differ from the ranker without images.`;
}

/** How much of the items and of the test period embeddings know, of those that do not know all. */
export function coverageSentence({ embeddings }: Report): string | null {
  const texts = embeddings.flatMap(({ source, items, candidates, history }) => {
    const shares = [items, candidates, history].map(known);
    if (shares.every((share) => share === null || share === 1)) return [];
    const [ofItems, ofCandidates, ofHistory] = shares.map((share) => (share === null ? '–' : percent(share)));
    return [
      `${sourceName(source)} has embeddings of ${ofItems} of the items, ${ofCandidates} of the candidates and ${ofHistory} of the history places of the test period.`,
    ];
  });
  return texts.length === 0 ? null : texts.join('\n');
}

/** The settings that were chosen for the rankers of the result. */
function choiceText(report: Report): string | null {
  const [first] = resultRows(report);
  const choice = report.choices.find(({ start }) => start === first?.start);
  const chosen = choice?.tried[choice.chosen];
  if (choice === undefined || chosen === undefined) return null;
  const auc = known(chosen.validationAuc);
  const reached = auc === null ? '' : `, a validation AUC of ${decimals(auc, 4)}`;
  return `Of ${choice.tried.length} settings of the ranker, tried without images, all rows have the best (${oneLine(chosen.settings)}${reached}).`;
}

/** What the measurement could have seen. */
function powerText({ lift: { detectable, covers } }: LiftedRow): string {
  return `With this many ${covers}, a lift of ${decimals(100 * detectable, 2)} points would be seen with 80 % probability.`;
}

/**
 * The row that the report is about: the best of COURIER's, or of all where COURIER was not run; none where no lift of
 * theirs can be judged.
 */
export function headlineRow(report: Report): LiftedRow | undefined {
  return best(liftedRows(headlineChoices(report)));
}

function headlineChoices(report: Report): readonly ComparedRow[] {
  const rows = comparedRows(resultRows(report)).filter(isWhole);
  const own = rows.filter(({ source }) => source === 'courier');
  return own.length > 0 ? own : rows;
}

function best(rows: readonly LiftedRow[]): LiftedRow | undefined {
  return rows.toSorted((a, b) => b.lift.difference - a.lift.difference)[0];
}

function startText({ start }: LiftedRow, { warmStart, embeddings }: Report): string {
  if (start === 'scratch') {
    const scratch =
      'Rankers with and without images were trained from scratch, which exaggerates what images add.';
    return warmStart.kind === 'undefined' ? `${scratch} ${warmStart.why}` : scratch;
  }
  const cut = known(warmStart);
  const when = cut === null ? '' : ` from ${new Date(cut).toISOString().slice(0, 10)} on`;
  const warm = `A ranker trained without images on older days went on${when} with and without them, as happens to a model in use`;
  const texts = seenTexts(embeddings);
  return embeddings.some(({ seen }) => seen === 'older') && texts.length === 0
    ? `${warm}; encoders learned from the older days, too.`
    : [`${warm}.`, ...texts].join(' ');
}

/** What encoders know of the days on which rankers went on, where that is more than nothing, or not known. */
function seenTexts(embeddings: Report['embeddings']): readonly string[] {
  const namesOf = (wanted: EmbeddingFigures['seen']) =>
    embeddings
      .filter(({ seen }) => seen === wanted)
      .map(({ source }) => sourceName(source))
      .join(', ');
  const [newer, unknown] = [namesOf('newer'), namesOf('unknown')];
  return [
    ...(newer === ''
      ? []
      : [
          `The encoder of ${newer} has seen the clicks of those days, too: there its similarities are better than on any new day, and rankers trust them more than they should.`,
        ]),
    ...(unknown === '' ? [] : [`Of which days ${unknown} has seen clicks is not known.`]),
  ];
}

/** Two decimals for a narrow interval or a limit that one decimal would round to zero, else one. */
function digitsFor({ ci95: [low, high] }: Lift): number {
  return high - low < 0.005 || Math.min(Math.abs(low), Math.abs(high)) < 0.001 ? 2 : 1;
}

function pText({ pCorrected }: Lift, lifts: number): string {
  const text = pValue(pCorrected);
  const equation = text.startsWith('<') ? `p ${text}` : `p = ${text}`;
  return lifts > 1 ? `${equation}, corrected for ${comparisons(lifts)}` : equation;
}

function comparisons(lifts: number): string {
  return lifts === 1 ? 'one comparison' : `${lifts} comparisons`;
}

/** Why there is no lift to speak of. */
function withoutLift(report: Report): string {
  const [compared] = headlineChoices(report);
  if (compared !== undefined) {
    const { source, lift } = compared;
    return `What ${sourceName(source)} embeddings add to test AUC ${unjudgedText(lift)}`;
  }
  const [first] = resultRows(report);
  if (first === undefined) return 'No model was evaluated.';
  const { auc } = baselineOf(report.rows, first.start) ?? first;
  return auc.kind === 'value'
    ? `The model without images reaches a test AUC of ${decimals(auc.value.mean, 4)}; no embeddings were compared with it.`
    : `No embeddings were compared with the model without images, and its test AUC cannot be told: ${oneLine(auc.why)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
