/** Which values of a column are clicks, told by all of them together. */
import { CourierError } from '../../errors.ts';
import { oneLine, shellWord } from '../../text.ts';
import { nameInSql } from '../duckdb/duckdb.ts';
import { isMissing } from './words.ts';

/** Pairs that need no explanation: clicked, not clicked. */
const pairs: readonly (readonly [string, string])[] = [
  ['1', '0'],
  ['true', 'false'],
  ['t', 'f'],
  ['yes', 'no'],
  ['y', 'n'],
  ['1', '-1'],
];

/** 0 and 1 may have decimals, as tools write them into a column with missing values. */
function plain(text: string): string {
  const lower = text.trim().toLowerCase();
  return lower.replace(/^\+?(-?[01])(\.0*)?$/, '$1');
}

/** Names of columns that tell clicks from what was only shown, from those that say it plainly to those that may. */
export const labelNames: readonly RegExp[] = [
  /^(clicked|click|is_click)$/i,
  /^label$|click|purchas|bought|event|action|interaction|target/i,
  /^(type|behaviou?r|status|label)/i,
];

/** Names of columns of opinions, of which the low ones are no clicks. */
const ratingNames = /^(ratings?|stars?|score|overall|points|grade)(:|$)|_(rating|stars|score)$/i;

/** Names of what is known of a click besides: when, of what, for how much. */
const otherNames = /(id|time|timestamp|date|_at|price|amount|value|number|name)$/i;

/** How a column that may tell clicks is named on the command line: as it is, or, where it holds opinions, with the high ones as clicks. */
export function labelExample(name: string): string {
  const column = nameInSql(name);
  return shellWord(ratingNames.test(name) ? `${column}::DOUBLE >= 4` : column);
}

/** Whether a column may say which rows of a log are clicks, by its name alone. */
export function mayBeLabel(name: string): boolean {
  if (ratingNames.test(name)) return true;
  return !otherNames.test(name) && labelNames.some((pattern) => pattern.test(name));
}

/** How often each text of a column occurs; null where there is none. */
export type TextCounts = ReadonlyMap<string | null, number>;

/**
 * @param name of the column, for messages
 * @param clicks values that are clicks, all others being none; undefined where the column says it by itself
 * @returns what a text says; undefined where it says nothing of the kind
 * @throws CourierError VALUE_INVALID for a column whose values need to be explained
 */
export function understandLabels(
  name: string,
  texts: TextCounts,
  clicks: readonly string[] | undefined,
): (text: string | null) => boolean | undefined {
  if (clicks !== undefined) {
    const wanted = new Set(clicks);
    if (![...texts.keys()].some((text) => text !== null && wanted.has(text.trim())))
      throw needsExplanation(name, texts, `none of them is ${clicks.join(', ')}`);
    return (text) => (text === null || isMissing(text) ? undefined : wanted.has(text.trim()));
  }
  const counts = new Map<string, number>();
  for (const [text, count] of texts) {
    if (text === null || isMissing(text)) continue;
    const value = plain(text);
    counts.set(value, (counts.get(value) ?? 0) + count);
  }
  const total = totalOf(counts);
  const rows = totalOf(texts);
  const told = pairs.map((pair) => pair.reduce((sum, value) => sum + (counts.get(value) ?? 0), 0));
  const most = Math.max(...told);
  if (total === 0) throw needsExplanation(name, texts, 'all of it is empty');
  const empty = rows - total;
  if (empty > 0.1 * rows) throw emptyLabels(name, empty, rows);
  if (most < 0.9 * total) throw needsExplanation(name, texts, 'which of them are clicks is not plain');
  const [click, none] = pairs[told.indexOf(most)]!;
  return (text) => {
    const value = text === null ? '' : plain(text);
    return value === click ? true : value === none ? false : undefined;
  };
}

function totalOf(counts: TextCounts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

function needsExplanation(name: string, texts: TextCounts, why: string): CourierError {
  const most = [...texts]
    .map(([text, count]) => [text ?? '', count] as const)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 5);
  const values = most.map(([value, count]) => `${value === '' ? '(empty)' : oneLine(value, 30)} (${count})`);
  const given = most.map(([value]) => value).filter((value) => value !== '');
  // Clicks are the rarer ones.
  const example = given.find((value) => /click|buy|purchase|order/i.test(value)) ?? given.at(-1) ?? 'click';
  const numbers = given.length > 0 && given.every((value) => Number.isFinite(Number(value)));
  const column = nameInSql(name);
  const high = numbers ? highOf(given.map(Number)) : null;
  const expression =
    high === null ? `${column} = '${oneLine(example, 30)}'` : `${column}::DOUBLE ${high.text}`;
  const clicks = high === null ? [example] : given.filter((value) => high.holds(Number(value)));
  return new CourierError(
    'VALUE_INVALID',
    `\`${name}\` holds ${values.join(', ')}: ${why}.`,
    `Say it with an expression, --clicked ${shellWord(expression)}, or with the values that are clicks, --clicked-values ${oneLine(clicks.join(','), 60)}.`,
  );
}

/** Which numbers are likely clicks: all above zero where there is one, such as counts; else the high ones, of one to five stars four and five. */
function highOf(numbers: readonly number[]) {
  const ascending = [...new Set(numbers)].sort((one, other) => one - other);
  if (ascending[0]! <= 0) return { text: '> 0', holds: (value: number) => value > 0 };
  const least = ascending[Math.ceil(0.6 * (ascending.length - 1))]!;
  return { text: `>= ${least}`, holds: (value: number) => value >= least };
}

function emptyLabels(name: string, empty: number, total: number): CourierError {
  return new CourierError(
    'VALUE_INVALID',
    `\`${name}\` is empty in ${empty} of ${total} rows.`,
    `If that means no click, say so: --clicked ${shellWord(`coalesce(${nameInSql(name)}, '0')`)}.`,
  );
}
