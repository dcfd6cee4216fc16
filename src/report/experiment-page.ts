/** The page of `courier experiment report`. Names of arms and of the experiment come from outside. */
import { metrics } from '../experiments/metrics.ts';
import { sampleRatioLevel } from '../experiments/sample-ratio.ts';
import { type Measured, mapped } from '../metrics/measured.ts';
import { decimals, integer, oneLine, percent } from '../text.ts';
import type { ExperimentReport, FixedFigures, MetricReport, TreatmentReport } from './experiment.ts';
import { courseChart } from './experiment-charts.ts';
import {
  armName,
  experimentSentences,
  experimentWarnings,
  gapReasons,
  liftText,
  limitsText,
  periodSentence,
  resultRows,
  resultTitles,
  valueText,
  verdictOf,
} from './experiment-text.ts';
import { type Html, html } from './html.ts';
import { findingsTable } from './origins.ts';
import { type Fact, pageOf } from './shell.ts';
import { simulationSection } from './simulation.ts';
import { scrollingTable } from './table.ts';
import { name, pValue } from './text.ts';

/** @returns the whole of `report.html` */
export function experimentPage(report: ExperimentReport): string {
  const [heading = 'Nothing was compared', ...rest] = experimentSentences(report);
  return pageOf({
    title: `Experiment ${name(report.name, 80)}`,
    heading,
    lede: [...rest, periodSentence(report)].join(' '),
    facts: factsOf(report),
    sections: [
      { id: 'warnings', name: 'Warnings', body: warningsSection(report) },
      { id: 'results', name: 'Results', body: resultsSection(report) },
      { id: 'course', name: 'Day by day', body: courseSection(report) },
      { id: 'simulation', name: 'New items', body: simulationSection(report) },
      { id: 'cuped', name: 'CUPED', body: cupedSection(report) },
      { id: 'users', name: 'Users', body: usersSection(report) },
      { id: 'data', name: 'Data', body: dataSection(report) },
      { id: 'reproduce', name: 'Reproduce', body: reproduceSection(report) },
    ],
    startedAt: report.startedAt,
  });
}

function factsOf({ metrics: [primary], arms, days, plannedDays }: ExperimentReport): readonly Fact[] {
  const [first] = primary?.treatments ?? [];
  const lift = first === undefined ? null : liftOf(first.relative);
  return [
    [
      `lift of ${primary === undefined ? '' : metrics[primary.metric].title}`,
      lift === null || lift.kind === 'undefined' ? null : liftText(lift),
    ],
    ['users', integer(arms.reduce((sum, { users }) => sum + users, 0))],
    ['exposures', integer(arms.reduce((sum, { exposures }) => sum + exposures, 0))],
    ['orders', integer(arms.reduce((sum, { orders }) => sum + orders, 0))],
    [`of ${plannedDays} days`, integer(days)],
  ];
}

function liftOf(figures: Measured<FixedFigures>): Measured {
  return mapped(figures, ({ value }) => value);
}

function warningsSection(report: ExperimentReport): Html | null {
  const warnings = experimentWarnings(report);
  if (warnings.length === 0) return null;
  return html`<section id="warnings" aria-labelledby="warnings-title">
<h2 id="warnings-title">Before you believe it</h2>
<ul>${warnings.map((text) => html`<li>${text}</li>`)}</ul>
</section>`;
}

function resultsSection(report: ExperimentReport): Html {
  const reasons = gapReasons(report);
  return html`<section id="results" aria-labelledby="results-title">
<h2 id="results-title">How far are the arms apart?</h2>
${scrollingTable(
  'Table of results',
  html`<table class="results">
<caption>Value: as it is. Difference from, and lift relative to ${armName(report.arms[0]?.name ?? '')}${
    report.daysBefore === null ? '' : ', adjusted by the time before'
  }. Intervals and p-values at every look hold however often anybody looks; those of one look hold at the planned end alone.
p-values are corrected for all treatments (Holm). The first metric is what the experiment is about.</caption>
<thead><tr>${resultTitles.map((title, place) => html`<th scope="col" class="${place === 0 ? 'text' : 'number'}">${title}</th>`)}</tr></thead>
${report.metrics.map((metric) => resultsBody(report, metric))}
</table>`,
  { tools: true },
)}
${reasons.length === 0 ? null : html`<p class="note">Why figures are missing:</p><ul class="note">${reasons.map((why) => html`<li>${why}</li>`)}</ul>`}
</section>`;
}

function resultsBody(report: ExperimentReport, metric: MetricReport): Html {
  const cap = metric.cap === null ? '' : `, of each user at most ${decimals(metric.cap, 2)}`;
  const role = metric.metric === report.primaryMetric ? 'what the experiment is about' : 'beside it';
  return html`<tbody class="warm"><tr class="group"><th scope="rowgroup" colspan="${resultTitles.length}"><span>${
    metrics[metric.metric].title
  }: <small>${role}${cap}</small></span></th></tr>${resultRows(report, metric).map(
    ({ cells: [first = '', ...rest], verdict }) =>
      html`<tr class="${verdict}"><th scope="row"><bdi>${first}</bdi></th>${rest.map(
        (text, place) => html`<td class="number${place === 2 ? ' lift' : ''}">${text}</td>`,
      )}</tr>`,
  )}</tbody>`;
}

function courseSection(report: ExperimentReport): Html | null {
  const panels = report.metrics.flatMap((metric) =>
    metric.treatments.flatMap((treatment) => {
      const title = `${metrics[metric.metric].title}, ${armName(treatment.arm)}`;
      const verdict = verdictOf(report.looks, treatment);
      const label = `Lift of ${title} by day, with limits that hold at every look`;
      const chart = courseChart(label, treatment.course, report.plannedDays, verdict);
      return chart === null
        ? []
        : [html`<figure><figcaption><strong><bdi>${title}</bdi></strong></figcaption>${chart}</figure>`];
    }),
  );
  if (panels.length === 0) return null;
  return html`<section id="course" aria-labelledby="course-title">
<h2 id="course-title">What each day's look said</h2>
<p>The line is the lift so far, the band the limits that hold on all days at once: looking every day is what it is made
for. It is tightest at the planned end, and cut off where it is more than three times as wide as the last.
<span class="key blue">Better</span>, <span class="key red">worse</span> or <span class="key grey">not distinguishable</span>
by now.</p>
<div class="panels">${panels}</div>
${courseTables(report)}
</section>`;
}

function courseTables({ metrics: [primary] }: ExperimentReport): readonly Html[] {
  if (primary === undefined) return [];
  return primary.treatments.map(
    ({
      arm,
      course,
    }) => html`<details><summary>${metrics[primary.metric].title} of <bdi>${armName(arm)}</bdi> as numbers</summary>
${scrollingTable(
  `${metrics[primary.metric].title} of ${armName(arm)}, day by day`,
  html`<table class="lifts"><thead><tr><th scope="col" class="number">Day</th><th scope="col">Until (UTC)</th>
<th scope="col" class="number">Users</th><th scope="col" class="number">Lift</th><th scope="col" class="number">95 % at every look</th>
<th scope="col" class="number">p at every look</th></tr></thead><tbody>${course.map(
    ({
      day,
      until,
      users,
      lift,
      p,
    }) => html`<tr><td class="number">${integer(day)}</td><td>${until.slice(0, 16).replace('T', ' ')}</td>
<td class="number">${integer(users)}</td><td class="number">${liftText(mapped(lift, ({ value }) => value))}</td>
<td class="number">${limitsText(mapped(lift, ({ ci95 }) => ci95))}</td>
<td class="number">${p === null ? '–' : pValue(p)}</td></tr>`,
  )}</tbody></table>`,
  { tools: true },
)}</details>`,
  );
}

function cupedSection({ metrics: all, daysBefore }: ExperimentReport): Html | null {
  if (daysBefore === null) return null;
  return html`<section id="cuped" aria-labelledby="cuped-title">
<h2 id="cuped-title">What the time before explains</h2>
<p>Users differ, and differed before. CUPED takes that part of the difference of arms away which the ${daysBefore} days before
explain; what is left varies less, as if there were more users.</p>
${scrollingTable(
  'CUPED',
  html`<table class="lifts"><thead><tr><th scope="col">Metric</th><th scope="col">Arm</th>
<th scope="col" class="number">Lift without</th><th scope="col" class="number">± (standard error)</th>
<th scope="col" class="number">Lift with</th><th scope="col" class="number">± (standard error)</th>
<th scope="col" class="number">Variance taken away</th></tr></thead><tbody>${all.flatMap(
    ({ metric, treatments }) => treatments.map((treatment) => cupedRow(metrics[metric].title, treatment)),
  )}</tbody></table>`,
  { tools: true },
)}
</section>`;
}

function cupedRow(title: string, { arm, relative, cuped }: TreatmentReport): Html | null {
  if (cuped === null) return null;
  const { without, varianceReduction } = cuped;
  const error = (figures: Measured<FixedFigures>) =>
    figures.kind === 'value' ? `${decimals(100 * figures.value.standardError, 2)} %` : '–';
  return html`<tr><th scope="row">${title}</th><td><bdi>${armName(arm)}</bdi></td>
<td class="number">${liftText(liftOf(without.relative))}</td><td class="number">${error(without.relative)}</td>
<td class="number">${liftText(liftOf(relative))}</td><td class="number">${error(relative)}</td>
<td class="number">${varianceReduction.kind === 'value' ? percent(varianceReduction.value) : '–'}</td></tr>`;
}

function usersSection({ arms, sampleRatio, mixedUsers }: ExperimentReport): Html {
  const ratio = (part: number, whole: number): Measured =>
    whole > 0 ? { kind: 'value', value: part / whole } : { kind: 'undefined', why: '' };
  return html`<section id="users" aria-labelledby="users-title">
<h2 id="users-title">Who was in which arm</h2>
<p>Sample ratio: χ² ${decimals(sampleRatio.chiSquared, 2)} with ${sampleRatio.degreesOfFreedom === 1 ? '1 degree' : `${sampleRatio.degreesOfFreedom} degrees`} of freedom, p ${pValue(sampleRatio.p)}.
${
  sampleRatio.isMismatch
    ? html`<strong class="key red">The arms do not have the users that they should have.</strong>`
    : `Below ${sampleRatioLevel} it would be a mismatch.`
}
${mixedUsers === 0 ? '' : `${integer(mixedUsers)} users were seen in several arms, and are in none.`}</p>
${scrollingTable(
  'Users of each arm',
  html`<table class="lifts"><thead><tr><th scope="col">Arm</th><th scope="col" class="number">Users</th><th scope="col" class="number">Expected</th>
<th scope="col" class="number">Exposures</th><th scope="col" class="number">Clicks</th><th scope="col" class="number">CTR</th>
<th scope="col" class="number">Orders</th><th scope="col" class="number">Revenue</th><th scope="col" class="number">Revenue a user</th></tr></thead><tbody>${arms.map(
    (
      arm,
      place,
    ) => html`<tr><th scope="row"><bdi>${armName(arm.name)}</bdi></th><td class="number">${integer(arm.users)}</td>
<td class="number">${integer(sampleRatio.expected[place] ?? 0)} (${percent(arm.share)})</td><td class="number">${integer(arm.exposures)}</td>
<td class="number">${integer(arm.clicks)}</td><td class="number">${valueText('ctr', ratio(arm.clicks, arm.exposures))}</td>
<td class="number">${integer(arm.orders)}</td><td class="number">${integer(arm.revenue)}</td><td class="number">${valueText('gmv', ratio(arm.revenue, arm.users))}</td></tr>`,
  )}</tbody></table>`,
  { tools: true },
)}
</section>`;
}

function dataSection({ rows, understood, findings }: ExperimentReport): Html {
  return html`<section id="data" aria-labelledby="data-title">
<h2 id="data-title">What the files held</h2>
<dl class="counts">${Object.entries(rows).map(
    ([kind, count]) => html`<div><dt>usable rows of ${kind}</dt><dd>${integer(count)}</dd></div>`,
  )}</dl>
<ul>${understood.map((text) => html`<li>${oneLine(text, 300)}</li>`)}</ul>
${findings.length === 0 ? html`<p>Nothing was missing, corrupt or skipped.</p>` : findingsTable(findings)}
</section>`;
}

function reproduceSection({ command }: ExperimentReport): Html {
  return html`<section id="reproduce" aria-labelledby="reproduce-title">
<h2 id="reproduce-title">Run it again</h2>
<pre><code>${oneLine(command, 2000)}</code></pre>
</section>`;
}
