/** The settings of all commands as tables of Markdown, for docs/settings.md. */

import { schemas } from './schemas.ts';
import { type SettingRow, settingRows } from './setting-rows.ts';

interface Section {
  readonly command: string;
  readonly rows: readonly SettingRow[];
}

/** Where a group of settings was listed before. */
interface Listed {
  readonly command: string;
  /** Before the keys there and here. */
  readonly there: string;
  readonly here: string;
}

/** A table for each command. A group that was listed before is named, and only what differs is listed again. */
export function settingsMarkdown(): string {
  const sections = Object.entries(schemas).map(([command, schema]): Section => {
    return { command, rows: settingRows(schema) };
  });
  return sections.map((section, place) => sectionMarkdown(section, sections.slice(0, place + 1))).join('\n');
}

function sectionMarkdown(section: Section, soFar: readonly Section[]): string {
  const lines: string[] = [];
  const listed: Listed[] = [];
  for (const row of section.rows) {
    if (listed.some((group) => isListed(row, group, soFar))) continue;
    const group = row.group ? groupBefore(row.key, section, soFar) : undefined;
    if (group !== undefined) listed.push(group);
    lines.push(rowMarkdown(row, group));
  }
  return `### ${section.command}\n\n| setting | takes | unless given | meaning |\n| --- | --- | --- | --- |\n${lines.join('\n')}\n`;
}

/** A command of this name, a group of this name in the same command, or of this key in an earlier one. */
function groupBefore(key: string, { command }: Section, soFar: readonly Section[]): Listed | undefined {
  const name = key.slice(key.lastIndexOf('.') + 1);
  const here = `${key}.`;
  const earlier = soFar.filter((section) => section.command !== command);
  if (earlier.some((section) => section.command === name)) return { command: name, there: '', here };
  if (name !== key && hasGroup(soFar, command, name)) return { command, there: `${name}.`, here };
  const other = earlier.find((section) => hasGroup(soFar, section.command, key));
  return other && { command: other.command, there: here, here };
}

function hasGroup(sections: readonly Section[], command: string, key: string): boolean {
  return sections.some(
    (section) => section.command === command && section.rows.some((row) => row.group && row.key === key),
  );
}

function isListed(row: SettingRow, { command, there, here }: Listed, soFar: readonly Section[]): boolean {
  if (!row.key.startsWith(here)) return false;
  const rows = soFar.find((section) => section.command === command)?.rows ?? [];
  const own = JSON.stringify(moved(row, here));
  return rows.some((other) => other.key.startsWith(there) && JSON.stringify(moved(other, there)) === own);
}

/** The row with keys as inside of a group. */
function moved(row: SettingRow, prefix: string): SettingRow {
  const where = row.where && { ...row.where, key: row.where.key.slice(prefix.length) };
  return { ...row, key: row.key.slice(prefix.length), where };
}

function rowMarkdown(
  { key, type, unlessGiven, meaning, where }: SettingRow,
  group: Listed | undefined,
): string {
  const place =
    group &&
    `[${[group.command, group.there.slice(0, -1)].filter(Boolean).join(' ')}](#${anchor(group.command)})`;
  const condition = where === null ? '' : `Where \`${where.key}\` is ${where.values.join(', ')}. `;
  const seen = place === undefined ? '' : ` As of ${place}, but for what is listed here.`;
  return `| \`${key}\` | ${type} | ${unlessGiven} | ${condition}${meaning ?? ''}${seen} |`;
}

/** As GitHub makes it of a heading. */
function anchor(heading: string): string {
  return heading.replaceAll(' ', '-');
}
