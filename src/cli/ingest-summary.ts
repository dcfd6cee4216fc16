/** What ingestion counted and found, for a terminal. */
import type { Finding, IngestReport } from '../data/dataset.ts';
import { integer, oneLine } from '../text.ts';

export function describeIngest({ counts, findings, candidateSampling }: IngestReport): string {
  const width = Math.max(...Object.keys(counts).map((name) => name.length));
  const counted = Object.entries(counts).map(([name, count]) => `  ${name.padEnd(width)}  ${integer(count)}`);
  return [...counted, `Candidates: ${candidateSampling}`, ...describeFindings(findings)].join('\n');
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
