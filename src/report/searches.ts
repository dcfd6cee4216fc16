/** Which settings of pre-training were searched, so that nobody is compared untuned. */
import { decimals, integer, oneLine } from '../text.ts';
import { type Html, html } from './html.ts';
import type { Report, SettingsSearch } from './report.ts';
import { scrollingTable } from './table.ts';
import { sourceName } from './text.ts';

export const searchNote =
  'Settings of pre-training, searched for each objective alike on the validation period with the first seed; the test period had no part in it.';

export const searchTitles = ['Objective', 'Tried', 'To the end', 'SimScore AUC', 'Settings'] as const;

/** One for each title. */
export function searchCells({
  objective,
  tried,
  finalRound,
  score,
  settings,
}: SettingsSearch): readonly [string, ...string[]] {
  return [
    sourceName(objective),
    integer(tried),
    integer(finalRound),
    score === null ? '–' : decimals(score, 4),
    oneLine(settings, 400),
  ];
}

export function searchesSection({ searches }: Report): Html | null {
  if (searches.length === 0) return null;
  return html`<section id="searches" aria-labelledby="searches-title">
<h2 id="searches-title">What settings were found</h2>
${scrollingTable(
  'Settings of pre-training',
  html`<table class="findings"><caption>${searchNote}</caption>
<thead><tr>${searchTitles.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${searches.map((search) => {
    const [name, ...cells] = searchCells(search);
    return html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  })}</tbody></table>`,
)}
</section>`;
}
