/** The page of `courier describe`. */
import { decimals, integer, oneLine, percent } from '../text.ts';
import { clickRateByDay, exposuresByDay, historyChart, rateChart } from './data-charts.ts';
import { type DataReport, faultsOf, type LeakCheck, type RatedPhoto } from './data-report.ts';
import { seriesColors } from './drawing.ts';
import { type Html, html } from './html.ts';
import { findingsTable } from './origins.ts';
import { pageOf } from './shell.ts';
import { photoName, picture } from './strips.ts';
import { scrollingTable } from './table.ts';

/** @returns the whole of `data.html` */
export function dataPage(report: DataReport): string {
  const { dataset, ingest, period, clickRate, withPhoto, startedAt } = report;
  const { counts } = ingest;
  return pageOf({
    title: `The data of ${oneLine(dataset, 80)}`,
    heading: headingOf(report),
    lede: `${integer(counts['exposures'] ?? 0)} exposures from ${dayOf(period.first)} to ${dayOf(period.last)}. Candidates: ${oneLine(ingest.candidateSampling, 300)}.`,
    facts: [
      ['clicked', percent(clickRate)],
      ['users', integer(counts['users'] ?? 0)],
      ['items', integer(counts['items'] ?? 0)],
      ['of the exposures have a photo', percent(withPhoto.exposures)],
    ],
    sections: [
      { id: 'days', name: 'Days', body: daysSection(report) },
      { id: 'rates', name: 'Click rates', body: ratesSection(report) },
      { id: 'histories', name: 'Histories', body: historiesSection(report) },
      { id: 'photos', name: 'Photos', body: photosSection(report) },
      { id: 'leaks', name: 'Leaks', body: leaksSection(report) },
      { id: 'users', name: 'Users', body: usersSection(report) },
      { id: 'findings', name: 'Findings', body: findingsSection(report) },
      { id: 'reproduce', name: 'Reproduce', body: reproduceSection(report) },
    ],
    startedAt,
  });
}

/** In a sentence: whether anything was found that a table must not be built on. */
export function headingOf(report: Pick<DataReport, 'leaks' | 'heavyUsers'>): string {
  const faults = faultsOf(report);
  if (faults.length > 0)
    return `Something in these data gives answers away: ${oneLine(faults[0]!.what, 160)}`;
  return report.heavyUsers.length > 0
    ? 'Nothing was found that gives answers away; some users are hardly people'
    : 'Nothing was found that gives answers away';
}

function dayOf(iso: string): string {
  return iso.slice(0, 10);
}

function minuteOf(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

function daysSection({ days, period }: DataReport): Html {
  return html`<section id="days" aria-labelledby="days-title">
<h2 id="days-title">What was shown and clicked, by day</h2>
<p>Training until ${minuteOf(period.validationFrom)}, validation until ${minuteOf(period.testFrom)}, test from there on: the dashed lines. Times are of UTC.</p>
<div class="panels"><figure>${exposuresByDay(days, period)}<figcaption>Exposures of each day</figcaption></figure>
<figure>${clickRateByDay(days, period)}<figcaption>Share of them that was clicked</figcaption></figure></div>
</section>`;
}

function ratesSection({ families, clickRate }: DataReport): Html {
  return html`<section id="rates" aria-labelledby="rates-title">
<h2 id="rates-title">Click rates</h2>
<p>Share of exposures that was clicked, with its 95 % interval. The dashed line is that of everything, ${percent(clickRate)}.</p>
<div class="panels">${families.map(
    (family) =>
      html`<figure>${rateChart(family, clickRate)}<figcaption>By ${oneLine(family.name, 60)}${
        family.others > 0 ? html`; ${integer(family.others)} more not shown` : null
      }</figcaption></figure>`,
  )}</div>
</section>`;
}

function historiesSection({ histories, ingest }: DataReport): Html {
  return html`<section id="histories" aria-labelledby="histories-title">
<h2 id="histories-title">What is known of users</h2>
<p>Items that a user had clicked before the page view, the newest kept. Where there is none, photos of earlier clicks tell nothing.</p>
<figure>${historyChart(histories)}<figcaption>${histories.map(
    ({ split, shares }, place) =>
      html`<span style="color:${seriesColors[place] ?? 'inherit'}">■</span> ${split}: ${percent(shares[0] ?? 0)} without a history. `,
  )}</figcaption></figure>
${scrollingTable(
  'Candidates',
  html`<table class="small"><thead><tr><th scope="col">Period</th>
<th scope="col" class="number">Clicked, never clicked before</th><th scope="col" class="number">Others, never clicked before</th>
<th scope="col" class="number">AUC of popularity alone</th></tr></thead><tbody>${ingest.candidates.map(
    ({ split, clicked, unclicked, popularityAuc }) => html`<tr><th scope="row">${split}</th>
<td class="number">${clicked.coldShare.kind === 'value' ? percent(clicked.coldShare.value) : '–'}</td>
<td class="number">${unclicked.coldShare.kind === 'value' ? percent(unclicked.coldShare.value) : '–'}</td>
<td class="number">${popularityAuc.kind === 'value' ? decimals(popularityAuc.value, 3) : '–'}</td></tr>`,
  )}</tbody></table>`,
)}
</section>`;
}

function photosSection({ withPhoto, mostClicked, leastClicked, ingest }: DataReport): Html {
  const broken = ingest.findings.filter(({ what }) => /photo|image/i.test(what));
  const tiles = (name: string, rated: readonly RatedPhoto[]) =>
    rated.length === 0
      ? null
      : html`<h3>${name}</h3><ol class="tiles">${rated.map(
          ({ photo, exposures, clicks }) => html`<li>${picture(photo)}
<span class="weight">${percent(clicks / exposures)} of ${integer(exposures)}</span><span class="hidden">${photoName(photo)}</span></li>`,
        )}</ol>`;
  return html`<section id="photos" aria-labelledby="photos-title">
<h2 id="photos-title">Photos</h2>
<p>There is a photo for the items of ${percent(withPhoto.exposures)} of the exposures and of ${percent(withPhoto.clicks)} of the clicks.</p>
${tiles('Most clicked in the training period, of those that were shown often', mostClicked)}
${tiles('Least clicked of the same', leastClicked)}
${broken.length === 0 ? null : findingsTable(broken)}
</section>`;
}

function leaksSection({ leaks }: DataReport): Html {
  return html`<section id="leaks" aria-labelledby="leaks-title">
<h2 id="leaks-title">What would give answers away</h2>
${scrollingTable(
  'Leaks',
  html`<table class="findings"><thead><tr><th scope="col">Looked for</th>
<th scope="col" class="number">Found</th><th scope="col">Outcome</th></tr></thead><tbody>${leaks.map(
    (check) => html`<tr><th scope="row">${oneLine(check.what, 300)}</th>
<td class="number">${check.outcome.kind === 'counted' ? `${integer(check.outcome.found)} of ${integer(check.outcome.of)}` : '–'}</td>
<td>${outcomeOf(check)}</td></tr>`,
  )}</tbody></table>`,
)}
</section>`;
}

/** In words, the same on the page and in a terminal. */
export function outcomeOf({ outcome }: LeakCheck): string {
  if (outcome.kind === 'not possible') return `not looked for: ${outcome.why}`;
  if (outcome.isWrong) return 'wrong: no table made of these data can be believed';
  return outcome.found === 0 ? 'as it should be' : 'for your information';
}

function usersSection({ heavyUsers }: DataReport): Html | null {
  if (heavyUsers.length === 0) return null;
  return html`<section id="users" aria-labelledby="users-title">
<h2 id="users-title">Users that are hardly people</h2>
<p>Robots, tests, or a word that stands where no user is known. They are in the data as they are.</p>
${scrollingTable(
  'Users',
  html`<table class="findings"><thead><tr><th scope="col">User</th>
<th scope="col" class="number">Exposures</th><th scope="col" class="number">Clicks</th><th scope="col">Why</th></tr></thead><tbody>${heavyUsers.map(
    ({ user, exposures, clicks, why }) => html`<tr><th scope="row"><bdi>${oneLine(user, 80)}</bdi></th>
<td class="number">${integer(exposures)}</td><td class="number">${integer(clicks)}</td><td>${why}</td></tr>`,
  )}</tbody></table>`,
)}
</section>`;
}

function findingsSection({ ingest }: DataReport): Html {
  return html`<section id="findings" aria-labelledby="findings-title">
<h2 id="findings-title">What ingestion met</h2>
<ul>${ingest.understood.map((text) => html`<li>${oneLine(text, 300)}</li>`)}</ul>
${ingest.findings.length === 0 ? html`<p>Nothing was missing, corrupt or skipped.</p>` : findingsTable(ingest.findings)}
</section>`;
}

function reproduceSection({ command, datasetHash, ingest }: DataReport): Html {
  return html`<section id="reproduce" aria-labelledby="reproduce-title">
<h2 id="reproduce-title">Run it again</h2>
<pre><code>${oneLine(command, 2000)}</code></pre>
<dl class="counts">${Object.entries(ingest.counts).map(
    ([name, count]) => html`<div><dt>${oneLine(name, 60)}</dt><dd>${integer(count)}</dd></div>`,
  )}</dl>
<dl class="manifest"><div><dt>Dataset hash</dt><dd>${datasetHash}</dd></div></dl>
</section>`;
}
