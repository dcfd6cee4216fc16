/** What could not be computed, with the reason in place of figures. */

import { oneLine } from '../text.ts';
import { type Html, html } from './html.ts';
import type { Failure, Report } from './report.ts';
import { scrollingTable } from './table.ts';
import { featuresName, sourceName } from './text.ts';

export function failuresSection({ failures }: Report): Html | null {
  if (failures.length === 0) return null;
  return html`<section id="failures" aria-labelledby="failures-title">
<h2 id="failures-title">What failed</h2>
${scrollingTable(
  'What failed',
  html`<table class="findings"><caption>The table above has only what did not fail. A row that lacks a seed is compared on its
other seeds; where no images lack one, no row has it. The same command again computes only these.</caption>
<thead><tr><th scope="col">What</th><th scope="col">At</th><th scope="col">Reason</th></tr></thead>
<tbody>${failures.map(
    (failure) => html`<tr><th scope="row">${whatFailed(failure)}</th><td>${stageNames[failure.stage]}</td>
<td>${oneLine(failure.message, 600)} <code>${oneLine(failure.code, 40)}</code></td></tr>`,
  )}</tbody></table>`,
)}
</section>`;
}

/** The last lines of a run of which a part failed; null where none did. */
export function terminalFailures(failures: readonly Failure[]): string | null {
  if (failures.length === 0) return null;
  const lines = failures.map(
    (failure) =>
      `  ${whatFailed(failure)}, ${stageNames[failure.stage]}: ${oneLine(failure.message, 600)} [${failure.code}]`,
  );
  return [
    'Without figures:',
    ...lines,
    `${failedSentence(failures)} Run the same command again to try only these.`,
  ].join('\n');
}

/** Names what failed, each once. */
export function failedSentence(failures: readonly Failure[]): string {
  return `Failed: ${[...new Set(failures.map(whatFailed))].join('; ')}.`;
}

const stageNames: Readonly<Record<Failure['stage'], string>> = {
  tune: 'search for settings',
  embed: 'embeddings',
  rank: 'ranker',
  diagnose: 'what the ranker rests on',
  attend: 'attention',
};

function whatFailed({ stage, source, features, start, seed }: Failure): string {
  const subject = stage === 'diagnose' ? 'best row' : source === null ? 'no images' : sourceName(source);
  const parts = [
    features === null ? subject : `${subject} as ${featuresName(features)}`,
    start === null ? null : { warm: 'warm start', scratch: 'from scratch' }[start],
    seed === null ? null : `seed ${seed}`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}
