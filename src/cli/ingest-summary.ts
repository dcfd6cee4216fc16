/** What ingestion counted and found, for a terminal. */
import type { CandidateFigures, Finding, IngestReport } from '../data/dataset.ts';
import { known, type Measured } from '../metrics/measured.ts';
import { decimals, integer, oneLine, percent } from '../text.ts';

export function describeIngest({
  counts,
  findings,
  understood,
  candidateSampling,
  candidates,
}: IngestReport): string {
  const width = Math.max(...Object.keys(counts).map((name) => name.length));
  const counted = Object.entries(counts).map(([name, count]) => `  ${name.padEnd(width)}  ${integer(count)}`);
  const sampling = `Candidates: ${candidateSampling}`;
  return [
    ...counted,
    ...understood.map((text) => oneLine(text, 300)),
    sampling,
    ...candidates.map(describeCandidates),
    ...describeFindings(findings),
  ].join('\n');
}

function describeCandidates({ split, clicked, unclicked, popularityAuc }: CandidateFigures): string {
  const cold = `never clicked before: ${written(clicked.coldShare, percent)} of the clicked, ${written(unclicked.coldShare, percent)} of the others`;
  return `  ${split}: ${cold}; AUC of popularity alone: ${written(popularityAuc, (auc) => decimals(auc, 3))}`;
}

function written(measured: Measured, text: (value: number) => string): string {
  const value = known(measured);
  return value === null ? '–' : text(value);
}

/** What was met on the way as lines of text; none when there was nothing. */
export function describeFindings(findings: readonly Finding[]): readonly string[] {
  const found = findings.map(({ what, count, examples }) => {
    const shown =
      examples.length === 0 ? '' : `: ${examples.map((example) => oneLine(example, 80)).join('; ')}`;
    return `  ${integer(count)} ${oneLine(what, 200)}${shown}`;
  });
  return found.length === 0 ? [] : ['Found:', ...found];
}
