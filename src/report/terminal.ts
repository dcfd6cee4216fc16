/** The table of results as plain text. */
import { type Column, columns } from './columns.ts';
import type { ReportRow } from './report.ts';

/** Rows as aligned columns for a terminal, without a line break at the end. */
export function terminalTable(rows: readonly ReportRow[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => cell(row))),
  ];
  const widths = columns.map((_, place) => Math.max(...cells.map((line) => (line[place] ?? '').length)));
  const lines = cells.map((line) => line.map((text, place) => pad(text, widths[place] ?? 0, columns[place])));
  const rule = widths.map((width) => '─'.repeat(width));
  return lines
    .toSpliced(1, 0, rule)
    .map((line) => line.join('  ').trimEnd())
    .join('\n');
}

function pad(text: string, width: number, column: Column | undefined): string {
  return column?.numeric === true ? text.padStart(width) : text.padEnd(width);
}
