/** In which settings two configurations differ. */
import { isDeepStrictEqual } from 'node:util';

/** Keys whose values differ, such as `log.user`; a list is one value. */
export function differences(one: unknown, other: unknown, key = ''): readonly string[] {
  if (isDeepStrictEqual(one, other)) return [];
  if (!isRecord(one) || !isRecord(other)) return [key];
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.flatMap((name) => differences(one[name], other[name], key === '' ? name : `${key}.${name}`));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
