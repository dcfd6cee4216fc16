/** Sections of the report about where the numbers come from: cost, data, manifest. */
import type { Finding } from '../data/dataset.ts';
import { bytes, duration, integer, oneLine } from '../text.ts';
import { type Html, html } from './html.ts';
import type { Report } from './report.ts';
import { scrollingTable } from './table.ts';

export function costSection({ stages }: Report): Html | null {
  if (stages.length === 0) return null;
  const total = stages.reduce((sum, { seconds }) => sum + seconds, 0);
  return html`<section id="cost" aria-labelledby="cost-title">
<h2 id="cost-title">What it cost</h2>
${scrollingTable(
  'Cost of each stage',
  html`<table class="cost"><caption>${duration(total)} in all.</caption>
<thead><tr><th scope="col">Stage</th><th scope="col" class="number">Time</th><th scope="col">Share</th>
<th scope="col" class="number">Peak memory of the process until then</th><th scope="col">Work</th></tr></thead>
<tbody>${stages.map(
    ({ stage, seconds, peakMemoryBytes, detail }) => html`<tr><th scope="row">${oneLine(stage, 60)}</th>
<td class="number">${duration(seconds)}</td>
<td><span class="track" aria-hidden="true"><span class="fill blue" style="width:${share(seconds, total)}%"></span></span></td>
<td class="number">${bytes(peakMemoryBytes)}</td><td>${oneLine(detail)}</td></tr>`,
  )}</tbody></table>`,
)}
</section>`;
}

function share(part: number, total: number): string {
  return total > 0 ? ((100 * part) / total).toFixed(1) : '0';
}

export function dataSection({ dataset }: Report): Html {
  const counts = Object.entries(dataset.counts);
  return html`<section id="data" aria-labelledby="data-title">
<h2 id="data-title">The data: ${oneLine(dataset.name, 80)}</h2>
<dl class="counts">${counts.map(([name, count]) => html`<div><dt>${oneLine(name, 60)}</dt><dd>${integer(count)}</dd></div>`)}</dl>
<p><strong>Candidates.</strong> ${oneLine(dataset.candidateSampling, 600)}</p>
${dataset.findings.length === 0 ? html`<p>Nothing was missing, corrupt or skipped.</p>` : findingsTable(dataset.findings)}
</section>`;
}

export function findingsTable(findings: readonly Finding[]): Html {
  return scrollingTable(
    'Findings in the data',
    html`<table class="findings"><caption>What was missing, corrupt, duplicate or skipped.</caption>
<thead><tr><th scope="col">Finding</th><th scope="col" class="number">Count</th><th scope="col">Examples</th></tr></thead>
<tbody>${findings.map(
      ({
        what,
        count,
        examples,
      }) => html`<tr><th scope="row">${oneLine(what)}</th><td class="number">${integer(count)}</td>
<td>${examples.map((example, place) => html`${place > 0 ? ', ' : ''}<code><bdi>${oneLine(example, 80)}</bdi></code>`)}</td></tr>`,
    )}</tbody></table>`,
  );
}

export function manifestSection({ manifest }: Report): Html {
  const versions = Object.entries(manifest.versions).map(([name, version]) => `${name} ${version}`);
  const entries: readonly (readonly [string, string])[] = [
    ['Seeds', manifest.seeds.join(', ')],
    ['Dataset hash', manifest.datasetHash],
    ['Versions', versions.join(', ')],
    ['Machine', manifest.machine],
    ['Started', manifest.startedAt],
  ];
  return html`<section id="reproduce" aria-labelledby="reproduce-title">
<h2 id="reproduce-title">Run it again</h2>
<pre><code>${oneLine(manifest.command, 2000)}</code></pre>
<dl class="manifest">${entries.map(([name, text]) => html`<div><dt>${name}</dt><dd>${oneLine(text, 1000)}</dd></div>`)}</dl>
<details><summary>Configuration</summary><pre><code>${JSON.stringify(manifest.config, null, 2) ?? 'none'}</code></pre></details>
</section>`;
}
