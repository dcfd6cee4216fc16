/** What a look into files found, and the command that would ingest them. */
import type { Inspected, Purpose } from '../data/sources/inspect.ts';
import { integer, oneLine, percent } from '../text.ts';

/** @param isLog whether its rows may be exposures with labels */
export function describeInspected(
  what: string,
  { rows, mayGoOn, columns, proposals }: Inspected,
  isLog: boolean,
): string {
  const width = Math.max(...columns.map(({ name }) => oneLine(name, 40).length));
  const typeWidth = Math.max(...columns.map(({ type }) => oneLine(type, 24).length));
  const lines = columns.map(({ name, type, missing, samples }) => {
    const empty = missing === 0 ? '' : `, ${percent(missing)} empty`;
    const shown = samples.map((sample) => oneLine(sample, 28)).join(', ');
    return `  ${oneLine(name, 40).padEnd(width)}  ${oneLine(type, 24).padEnd(typeWidth)}  ${shown}${empty}`;
  });
  const proposed = Object.entries(proposals).map(
    ([purpose, { column, why }]) => `  ${purpose}: ${oneLine(column, 60)} (${oneLine(why, 100)})`,
  );
  const unlabelled =
    isLog && proposals.clicked === undefined
      ? [
          '  No column was recognised that says what was clicked: as the command stands, every row is a purchase. If one does, name it: --clicked COLUMN, or --clicked "COLUMN = \'click\'".',
        ]
      : [];
  const part = mayGoOn ? `, by its first ${integer(rows)} rows` : rows === 0 ? ', which has no rows' : '';
  return [`${what}${part}:`, ...lines, 'Proposed:', ...proposed, ...unlabelled].join('\n');
}

/** What was named on the command line. */
interface Named {
  readonly log: string;
  readonly catalogue: string | undefined;
  readonly images: string | undefined;
  readonly encoding: string | undefined;
  readonly quote: string | undefined;
}

/** The command to run; what could not be proposed stands in it in capitals. */
export function proposedCommand(named: Named, log: Inspected, catalogue: Inspected | null): string {
  const of = (inspected: Inspected, purpose: Purpose) => inspected.proposals[purpose]?.column;
  const words: (readonly [string, string | undefined])[] = [
    ['--log', named.log],
    ['--user', of(log, 'user') ?? 'USER'],
    ['--item', of(log, 'item') ?? 'ITEM'],
    ['--time', of(log, 'time') ?? 'TIME'],
    ['--clicked', of(log, 'clicked')],
    // Without labels candidates are sampled, and there are no page views to name.
    ['--page-view', of(log, 'clicked') === undefined ? undefined : of(log, 'pageView')],
    ['--numeric', of(log, 'clicked') === undefined ? undefined : listed(log.numbers)],
    ['--encoding', named.encoding],
    ['--quote', named.quote],
    ['--catalogue', named.catalogue],
    ['--catalogue-item', catalogue === null ? undefined : of(catalogue, 'item')],
    ['--image', catalogue === null || named.images === undefined ? undefined : of(catalogue, 'image')],
    ['--title', catalogue === null ? undefined : of(catalogue, 'title')],
    ['--categories', catalogue === null ? undefined : listed(catalogue.categories)],
    ['--images', named.images],
    ['--out', 'datasets/shop'],
  ];
  const parts = words.flatMap(([option, word]) => (word === undefined ? [] : [`${option} ${quoted(word)}`]));
  return `courier ingest ${parts.join(' \\\n  ')}`;
}

function listed(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : names.join(',');
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w./:,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
