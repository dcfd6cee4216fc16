/** The table of results as Markdown, for documents, and a short report around it. */

import { oneLine } from '../text.ts';
import {
  type Column,
  cellText,
  columns,
  correctionNote,
  embeddingCells,
  embeddingNote,
  embeddingTitles,
  gapReasons,
  gapTitle,
  liftNote,
  otherColumns,
  otherNote,
} from './columns.ts';
import { failedSentence } from './failures.ts';
import { context, headline } from './headline.ts';
import type { Report, ReportRow } from './report.ts';
import { othersCells, othersNote, othersTitles } from './rival.ts';
import { comparedRows, startGroups } from './rows.ts';
import { screeningSentence } from './screening.ts';
import { searchCells, searchNote, searchTitles } from './searches.ts';
import { sizeCells, sizesNote, sizesTitle, sizeTitles, sizeWords } from './sizes.ts';

/** @returns the whole of `report.md` */
export function reportMarkdown(report: Report): string {
  const screening = screeningSentence(report);
  const parts = [
    `# ${escapeMarkdown(oneLine(report.title))}`,
    `**${escapeMarkdown(headline(report))}**`,
    escapeMarkdown(context(report).join(' ')),
    markdownTable(report.rows),
    ...othersTable(report),
    ...embeddingTable(report),
    ...searchesTable(report),
    ...sizesTable(report),
    ...(screening === null ? [] : [escapeMarkdown(screening)]),
    ...(report.failures.length === 0 ? [] : [escapeMarkdown(failedSentence(report.failures))]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/**
 * Rows with all columns as tables of GitHub Flavored Markdown, one for each start under a line that names it,
 * and below them what the titles leave open and why figures are missing; nothing for no rows.
 */
export function markdownTable(rows: readonly ReportRow[]): string {
  if (rows.length === 0) return '';
  const tables = startGroups(rows).flatMap(({ title, note, rows }) => [
    `**${title}**: ${note}.`,
    tableOf(columns, rows),
  ]);
  return [...tables, `${liftNote(rows)} ${correctionNote}`, ...otherMetrics(rows), ...gaps(rows)].join(
    '\n\n',
  );
}

function embeddingTable({ embeddings }: Report): readonly string[] {
  if (embeddings.length === 0) return [];
  const [first, ...figures] = embeddingTitles;
  const table = [
    line([first, ...figures]),
    line(['---', ...figures.map(() => '---:')]),
    ...embeddings.map((periods) => line(embeddingCells(periods).map(escapeMarkdown))),
  ];
  return [embeddingNote, table.join('\n')];
}

function othersTable({ versusOthers }: Report): readonly string[] {
  if (versusOthers.length === 0) return [];
  const table = [
    line(othersTitles),
    line(['---', '---', '---', '---:', '---:', '---:', '---:']),
    ...versusOthers.map((one) => line(othersCells(one).map(escapeMarkdown))),
  ];
  return [othersNote, table.join('\n')];
}

function searchesTable({ searches }: Report): readonly string[] {
  if (searches.length === 0) return [];
  const table = [
    line(searchTitles),
    line(['---', '---:', '---:', '---:', '---']),
    ...searches.map((search) => line(searchCells(search).map(escapeMarkdown))),
  ];
  return [searchNote, table.join('\n')];
}

function sizesTable(report: Report): readonly string[] {
  const cells = sizeCells(report);
  if (cells.length === 0) return [];
  const table = [
    line(sizeTitles),
    line(sizeTitles.map((_, column) => (column < sizeWords ? '---' : '---:'))),
    ...cells.map((row) => line(row.map(escapeMarkdown))),
  ];
  return [`**${sizesTitle}**: ${sizesNote}`, table.join('\n')];
}

function otherMetrics(rows: readonly ReportRow[]): readonly string[] {
  const compared = startGroups(comparedRows(rows)).flatMap((group) => group.rows);
  return compared.length === 0 ? [] : [otherNote, tableOf(otherColumns, compared)];
}

function gaps(rows: readonly ReportRow[]): readonly string[] {
  const reasons = gapReasons(rows, [...columns, ...otherColumns]);
  if (reasons.length === 0) return [];
  return [gapTitle, reasons.map((why) => `- ${escapeMarkdown(why)}`).join('\n')];
}

function tableOf(columns: readonly Column[], rows: readonly ReportRow[]): string {
  return [
    line(columns.map(({ title }) => escapeMarkdown(title))),
    line(columns.map(({ kind }) => (kind === 'text' ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map((column) => escapeMarkdown(cellText(column, row))))),
  ].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Text from outside in which no character is markup: no cell ends early, no link, no HTML, no mention. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_[\]<>|~&:@$#!]/g, '\\$&');
}
