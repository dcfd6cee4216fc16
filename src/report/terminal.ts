/** The table of results as plain text. */
import {
  type Column,
  cellText,
  correctionNote,
  gapReasons,
  gapTitle,
  liftNote,
  narrowColumns,
} from './columns.ts';
import type { ReportRow } from './report.ts';
import { startGroups } from './rows.ts';

/** Rows as aligned columns for a terminal, warm-started ones first, without a line break at the end. */
export function terminalTable(rows: readonly ReportRow[]): string {
  const titles = narrowColumns.map(({ title }) => title);
  const groups = startGroups(rows).map(({ title, note, rows }) => {
    return { heading: `${title}: ${note}`, lines: rows.map(cellsOf) };
  });
  const all = [titles, ...groups.flatMap(({ lines }) => lines)];
  const widths = titles.map((_, place) => Math.max(...all.map((cells) => (cells[place] ?? '').length)));
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [
    aligned(titles, widths),
    ...groups.flatMap(({ heading, lines }) => [rule, heading, ...lines.map((line) => aligned(line, widths))]),
    rule,
    liftNote(rows),
    correctionNote,
    ...gaps(rows),
  ].join('\n');
}

function gaps(rows: readonly ReportRow[]): readonly string[] {
  const reasons = gapReasons(rows, narrowColumns);
  return reasons.length === 0 ? [] : [gapTitle, ...reasons.map((why) => `  ${why}`)];
}

function cellsOf(row: ReportRow): string[] {
  return narrowColumns.map((column) => cellText(column, row));
}

function aligned(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((text, place) => pad(text, widths[place] ?? 0, narrowColumns[place]))
    .join('  ')
    .trimEnd();
}

function pad(text: string, width: number, column: Column | undefined): string {
  return column?.kind === 'text' ? text.padEnd(width) : text.padStart(width);
}
