/** Dictionary encoding of categorical columns. */
import type { CategoricalColumn } from './dataset.ts';

/**
 * Codes in the order of first appearance, from 1; missing and blank texts are code 0, "unknown".
 */
export function encodeCategories(name: string, texts: readonly (string | null)[]): CategoricalColumn {
  const values = ['unknown'];
  const known = new Map<string, number>();
  const codes = Int32Array.from(texts, (text) => {
    const trimmed = text?.trim() ?? '';
    if (trimmed === '') return 0;
    const code = known.get(trimmed) ?? values.push(trimmed) - 1;
    known.set(trimmed, code);
    return code;
  });
  return { name, values, codes };
}
