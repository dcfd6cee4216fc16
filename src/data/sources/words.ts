/** What tools write where nothing is known, and what they make of ids on the way. */

const missing = /^(nan|none|null|na|n\/a|<na>|nat|nil|undefined|\\n|-)?$/i;

/** The longest of these words with some blanks, and the first letters of all of them: whatever else needs no second look. */
const longest = 24;
const firstLetters = [...'nNuU<\\- \t\n\r', ''].map((letter) => letter.codePointAt(0) ?? 0);

/** The same for a column: SQL that is true where there is no value. */
export function isMissingSql(text: string): string {
  return `CASE WHEN ${text} IS NULL THEN true WHEN strlen(${text}) > ${longest} OR ascii(${text}) NOT IN (${firstLetters.join(', ')})
    THEN false ELSE regexp_full_match(${text}, '(?i)\\s*(nan|none|null|na|n/a|<na>|nat|nil|undefined|\\\\n|-)?\\s*') END`;
}

/** Whether a text says that there is no value. */
export function isMissing(text: string): boolean {
  return missing.test(text.trim());
}

/** The text of a cell, without blanks around it; null where it says that there is none. */
export function givenText(text: string | null): string | null {
  return text === null || isMissing(text) ? null : text.trim();
}

/** 123.0 is 123, as pandas writes whole numbers of a column in which others are missing. */
export function wholeId(id: string): string {
  return id.replace(/^(-?\d+)\.0+$/, '$1');
}

/** NaN for an empty cell, undefined for something that is no finite number. */
export function parseNumber(text: string | null): number | undefined {
  const trimmed = givenText(text);
  if (trimmed === null) return Number.NaN;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** 4.00638E+12, as spreadsheets write long numbers: the digits are gone. */
export function isScientific(id: string): boolean {
  return /^-?\d(\.\d+)?e\+?\d+$/i.test(id);
}
