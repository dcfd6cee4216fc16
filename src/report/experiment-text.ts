/** The words and cells of an experiment, the same on its page and in a terminal. */
import { type MetricName, metrics } from '../experiments/metrics.ts';
import { type Measured, mapped } from '../metrics/measured.ts';
import { decimals, integer, oneLine, percent } from '../text.ts';
import type { ExperimentReport, MetricReport, TreatmentReport } from './experiment.ts';
import type { Verdict } from './rows.ts';
import { interval, name, pValue, signedPoints } from './text.ts';

/** Beyond this share of users seen in several arms, something deals them out wrongly. */
const mostMixed = 0.01;

export function armName(text: string): string {
  return name(text, 40);
}

/** In a sentence for each treatment what the experiment came to; one sentence alone where it cannot be believed. */
export function experimentSentences(report: ExperimentReport): string[] {
  const [primary] = report.metrics;
  if (report.sampleRatio.isMismatch) return [mismatchSentence(report)];
  return (primary?.treatments ?? []).map((treatment) => treatmentSentence(report, treatment));
}

function mismatchSentence({ arms, sampleRatio }: ExperimentReport): string {
  const found = arms.map(({ name, users }, arm) => {
    return `${armName(name)} has ${integer(users)} users and should have ${integer(sampleRatio.expected[arm] ?? 0)}`;
  });
  return `Sample ratio mismatch (p ${pValue(sampleRatio.p)}): ${found.join(', ')}. No lift below can be believed.`;
}

function treatmentSentence(report: ExperimentReport, treatment: TreatmentReport): string {
  const title = metrics[report.primaryMetric].title;
  const [arm, control] = [armName(treatment.arm), armName(report.arms[0]?.name ?? '')];
  const shown = judgedBy(report.looks, treatment);
  if (shown.kind === 'undefined') {
    return `Whether ${arm} differs from ${control} in ${title} cannot be told yet: ${shown.why}`;
  }
  const { lift, p } = shown.value;
  const words = {
    better: `${arm} raises ${title}`,
    worse: `${arm} lowers ${title}`,
    unclear: `${arm} cannot be told from ${control} in ${title}`,
  }[verdictOf(report.looks, treatment)];
  const kind = report.looks === 'daily' ? '95 % interval for every look' : '95 % interval of one look';
  return `${words}: ${liftText(lift)} (${kind} ${limitsText(shown.value.relative)}, p ${pValue(p)}).`;
}

interface Judged {
  readonly lift: Measured;
  readonly relative: Measured<readonly [number, number]>;
  /** Corrected by Holm. */
  readonly p: number;
}

/** The figures that the headline goes by. */
function judgedBy(looks: ExperimentReport['looks'], treatment: TreatmentReport): Measured<Judged> {
  const { relative, sequential, pCorrected } = treatment;
  const lift = mapped(relative, ({ value }) => value);
  if (looks === 'daily') {
    if (sequential.kind === 'undefined') return sequential;
    const { relative: limits, pCorrected: p } = sequential.value;
    return { kind: 'value', value: { lift, relative: limits, p } };
  }
  return mapped(pCorrected, (p) => ({ lift, relative: mapped(relative, ({ ci95 }) => ci95), p }));
}

/** By the corrected p-value of the test that was chosen. */
export function verdictOf(looks: ExperimentReport['looks'], treatment: TreatmentReport): Verdict {
  const judged = judgedBy(looks, treatment);
  const { absolute } = treatment;
  if (judged.kind === 'undefined' || absolute.kind === 'undefined' || judged.value.p > 0.05) return 'unclear';
  return absolute.value.value > 0 ? 'better' : 'worse';
}

/** What a reader has to know before any figure. */
export function experimentWarnings(report: ExperimentReport): string[] {
  const { arms, mixedUsers, looks, days, plannedDays, winsorize, sampleRatio } = report;
  const users = arms.reduce((sum, arm) => sum + arm.users, 0);
  return [
    ...(sampleRatio.isMismatch
      ? [
          'Something lost users of one arm, or counted them there alone: look for redirects, crashes, robots and late events before anything else.',
        ]
      : []),
    ...(mixedUsers > mostMixed * (users + mixedUsers)
      ? [
          `${integer(mixedUsers)} users (${percent(mixedUsers / (users + mixedUsers))}) were seen in several arms and are left out: arms are not dealt out by user alone.`,
        ]
      : []),
    ...(looks === 'once' && days < plannedDays
      ? [
          `Day ${days} of ${plannedDays} planned: the test of a single look holds at the planned end, and not before.`,
        ]
      : []),
    ...(days < 7 ? ['Less than a week: days of the week differ, and so may a lift.'] : []),
    ...(winsorize === null
      ? []
      : [
          `Revenue of a user above the ${decimals(100 * winsorize, 2)} % quantile counts as that much: what GMV is here is not all of it.`,
        ]),
  ];
}

/** `Day 12 of 28, from …`. */
export function periodSentence({ period, days, plannedDays, daysBefore }: ExperimentReport): string {
  const from =
    period.from === period.start
      ? ''
      : `, when shares became what they are (the experiment began ${minute(period.start)})`;
  const cuped =
    daysBefore === null
      ? 'Lifts are plain: nothing of before is used.'
      : `Lifts are adjusted by the ${daysBefore} days before (CUPED).`;
  return `Day ${days} of ${plannedDays} planned, from ${minute(period.from)} UTC${from} to ${minute(period.until)}. ${cuped}`;
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

export function valueText(metric: MetricName, value: Measured): string {
  if (value.kind === 'undefined') return '–';
  return metric === 'ctr'
    ? `${decimals(100 * value.value, 3)} %`
    : decimals(value.value, metric === 'gmv' ? 2 : 4);
}

/** In the unit of the metric: `+0.52`, of CTR `+0.041 points`. */
export function differenceText(metric: MetricName, difference: Measured): string {
  if (difference.kind === 'undefined') return '–';
  const { value } = difference;
  const text =
    metric === 'ctr' ? `${decimals(100 * value, 3)} points` : decimals(value, metric === 'gmv' ? 2 : 4);
  return value > 0 ? `+${text}` : text;
}

/** `+1.21 %` */
export function liftText(lift: Measured): string {
  return lift.kind === 'undefined' ? '–' : `${signedPoints(lift.value)} %`;
}

export function limitsText(limits: Measured<readonly [number, number]>): string {
  return limits.kind === 'undefined' ? '–' : `${interval(limits.value)} %`;
}

export const resultTitles = [
  'Arm',
  'Value',
  'Difference',
  'Lift',
  '95 % at every look',
  'p at every look',
  '95 % of one look',
  'p of one look',
] as const;

/** A row for control and each treatment, as texts in the order of the titles. */
export function resultRows(
  { arms, looks }: ExperimentReport,
  { metric, values, treatments }: MetricReport,
): readonly { readonly cells: readonly string[]; readonly verdict: Verdict }[] {
  const value = (arm: number) => valueText(metric, values[arm] ?? { kind: 'undefined', why: '' });
  const control = [armName(arms[0]?.name ?? ''), value(0), ...resultTitles.slice(2).map(() => '')];
  const rows = treatments.map((treatment, place) => {
    const { absolute, relative, sequential, pCorrected } = treatment;
    const always = sequential.kind === 'value' ? sequential.value : null;
    return {
      verdict: verdictOf(looks, treatment),
      cells: [
        armName(treatment.arm),
        value(place + 1),
        differenceText(
          metric,
          mapped(absolute, ({ value }) => value),
        ),
        liftText(mapped(relative, ({ value }) => value)),
        always === null ? '–' : limitsText(always.relative),
        always === null ? '–' : pValue(always.pCorrected),
        limitsText(mapped(relative, ({ ci95 }) => ci95)),
        pCorrected.kind === 'value' ? pValue(pCorrected.value) : '–',
      ],
    };
  });
  return [{ cells: control, verdict: 'unclear' }, ...rows];
}

/** Why figures are missing, each reason once. */
export function gapReasons({ metrics }: ExperimentReport): string[] {
  const reasons = metrics.flatMap(({ treatments }) =>
    treatments.flatMap(({ relative, sequential, pCorrected }) =>
      [relative, sequential, pCorrected].flatMap((figure) =>
        figure.kind === 'undefined' ? [figure.why] : [],
      ),
    ),
  );
  return [...new Set(reasons)].map((why) => oneLine(why, 300));
}

/** The report as plain text, without a line break at the end. */
export function experimentText(report: ExperimentReport): string {
  const { sampleRatio, arms } = report;
  const users = arms.map((arm, place) => {
    return `${armName(arm.name)} ${integer(arm.users)} (expected ${integer(sampleRatio.expected[place] ?? 0)})`;
  });
  const rows = report.metrics.flatMap((metric) => [
    { heading: metrics[metric.metric].title, cells: [] },
    ...resultRows(report, metric).map(({ cells }) => ({ heading: null, cells })),
  ]);
  const widths = resultTitles.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return [
    ...experimentSentences(report),
    ...experimentWarnings(report).map((text) => `Warning: ${text}`),
    periodSentence(report),
    `Users: ${users.join(', ')}; sample ratio p ${pValue(sampleRatio.p)}`,
    '',
    line(resultTitles),
    ...rows.map(({ heading, cells }) => heading ?? line(cells)),
    ...gapReasons(report).map((why) => `– ${why}`),
    ...(report.findings.length === 0 ? [] : ['Met in the files:']),
    ...report.findings.map(({ what, count }) => `  ${oneLine(what)}: ${integer(count)}`),
  ].join('\n');
}
