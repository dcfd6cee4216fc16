/** What tools write where nothing is known, and what they make of ids on the way. */

const missing = /^(nan|none|null|na|n\/a|<na>|nat|nil|undefined|\\n|-)?$/i;

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

/** 4.00638E+12, as spreadsheets write long numbers: the digits are gone. */
export function isScientific(id: string): boolean {
  return /^-?\d(\.\d+)?e\+?\d+$/i.test(id);
}
