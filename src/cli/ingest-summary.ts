/** What ingestion counted and found, for a terminal. */
import type { IngestReport } from '../data/dataset.ts';
import { integer, oneLine } from '../report/text.ts';

export function describeIngest({ counts, findings, candidateSampling }: IngestReport): string {
  const width = Math.max(...Object.keys(counts).map((name) => name.length));
  const counted = Object.entries(counts).map(([name, count]) => `  ${name.padEnd(width)}  ${integer(count)}`);
  const found = findings.map(({ what, count, examples }) => {
    const shown =
      examples.length === 0 ? '' : `: ${examples.map((example) => oneLine(example, 80)).join('; ')}`;
    return `  ${integer(count)} ${oneLine(what, 200)}${shown}`;
  });
  return [
    ...counted,
    `Candidates: ${candidateSampling}`,
    ...(found.length === 0 ? [] : ['Found:', ...found]),
  ].join('\n');
}
