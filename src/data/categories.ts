/** Dictionary encoding of categorical columns. */
import type { CategoricalColumn } from './dataset.ts';

/**
 * Codes in the order of first appearance, from 1; missing and blank texts are code 0, "unknown".
 * @param before texts that have their codes already
 */
export function encodeCategories(
  name: string,
  texts: readonly (string | null)[],
  before: readonly string[] = ['unknown'],
): CategoricalColumn {
  const values = [...before];
  const known = new Map(values.map((value, code) => [value, code]));
  known.delete('unknown');
  const codes = Int32Array.from(texts, (text) => {
    const trimmed = text?.trim() ?? '';
    if (trimmed === '') return 0;
    const code = known.get(trimmed) ?? values.push(trimmed) - 1;
    known.set(trimmed, code);
    return code;
  });
  return { name, values, codes };
}
