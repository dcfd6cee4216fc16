/** What a file holds, and which of its columns mean what: a look before ingestion. */
import { percent } from '../../text.ts';
import { describeSelect, nameInSql } from '../duckdb/duckdb.ts';
import { BadRows, Findings } from '../findings.ts';
import { labelNames, type TextCounts, understandLabels } from './label-column.ts';
import { type TextOptions, withRelation } from './relation.ts';
import { withLoadedTable } from './text-table.ts';
import { understandTimes } from './time-column.ts';
import { isMissing } from './words.ts';

export interface InspectedColumn {
  readonly name: string;
  /** As DuckDB names it. */
  readonly type: string;
  /** Share of the rows without a value. */
  readonly missing: number;
  /** Different values among the rows that were looked at. */
  readonly distinct: number;
  readonly samples: readonly string[];
}

/** A column that is proposed for a purpose, and why. */
export interface Proposal {
  readonly column: string;
  readonly why: string;
}

export type Purpose = 'user' | 'item' | 'time' | 'clicked' | 'pageView' | 'image' | 'title';

export interface Inspected {
  /** Rows that were looked at: the first ones. */
  readonly rows: number;
  /** Whether there may be more. */
  readonly mayGoOn: boolean;
  readonly columns: readonly InspectedColumn[];
  readonly proposals: Readonly<Partial<Record<Purpose, Proposal>>>;
  /** Other columns that hold numbers known of a row, or categories. */
  readonly numbers: readonly string[];
  readonly categories: readonly string[];
}

/** Rows that are looked at. */
const lookedAt = 20_000;

interface Look {
  readonly name: string;
  readonly texts: readonly (string | null)[];
  /** Of each different text. */
  readonly counts: TextCounts;
  /** What the texts are as times, null where they are none. */
  readonly timeMeaning: string | null;
}

/** How much a name says of a purpose: the first pattern that fits says the most. */
const names: Readonly<Record<Purpose, readonly RegExp[]>> = {
  user: [
    /^(user|customer|visitor|member|client)(_?id)?$/i,
    /^(uid|user_?number|cust)$/i,
    /user|customer|visitor|reviewer/i,
  ],
  item: [
    /^(item|article|product|movie|news|video|note|sku|asin)(_?id)?$/i,
    /^(iid|pid)$/i,
    /item|article|product|asin|sku/i,
  ],
  time: [/^(time|timestamp|ts|date|datetime|shown_at|t_dat)$/i, /time|date|_at$/i],
  clicked: labelNames,
  pageView: [
    /^(page_?view|view|request|impression|session)(_?id)?$/i,
    /view|request|impression|session|query_?id|slate|^(list|page|feed|search)_?id$/i,
  ],
  image: [/^(image|photo|picture|img)(_?(path|file|url))?$/i, /image|photo|picture|img|thumb/i],
  title: [/^(title|name|product_?name)$/i, /title|name/i, /^label$|caption/i],
};

/** @throws CourierError of reading */
export async function inspectTable(
  input: string,
  what: string,
  purposes: readonly Purpose[],
  options: TextOptions = {},
): Promise<Inspected> {
  const columns = await withRelation(input, { what, ...options }, (connection, { sql }) =>
    describeSelect(connection, sql),
  );
  const readable = columns.filter(({ type }) => !/\[|STRUCT|MAP|BLOB/.test(type));
  const findings = new Findings();
  const reading = { what, badRows: new BadRows(what, findings), findings, ...options, limit: lookedAt };
  const looks = await withLoadedTable(
    input,
    readable.map(({ name }) => nameInSql(name)),
    reading,
    async ({ connection, table, column }) => {
      const found: Look[] = [];
      for (const { name } of readable) {
        const sql = column(nameInSql(name));
        const read = await connection.runAndReadAll(`SELECT ${sql} FROM ${table} ORDER BY rowid`);
        const texts = read.getRows().map(([text]) => (typeof text === 'string' ? text : null));
        const counts = new Map<string | null, number>();
        for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
        const timeMeaning = await understandTimes({ connection, table, column: sql, name }).then(
          ({ meaning }) => meaning,
          () => null,
        );
        found.push({ name, texts, counts, timeMeaning });
      }
      return found;
    },
  );
  const inspected = columns.map(({ name, type }): InspectedColumn => {
    const look = looks.find((each) => each.name === name);
    const texts = look?.texts ?? [];
    const distinct = look?.counts.size ?? 0;
    const given = texts.flatMap((text) => (text === null || isMissing(text) ? [] : [text]));
    const missing = texts.length === 0 ? 0 : 1 - given.length / texts.length;
    return { name, type, missing, distinct, samples: [...new Set(given)].slice(0, 3) };
  });
  const proposals = propose(looks, purposes);
  const used = Object.values(proposals).map(({ column }) => column);
  const rest = looks.filter(({ name }) => !used.includes(nameInSql(name)));
  const rows = looks[0]?.texts.length ?? 0;
  return {
    rows,
    mayGoOn: rows >= lookedAt,
    columns: inspected,
    proposals,
    numbers: rest.filter(isNumber).map(({ name }) => nameInSql(name)),
    categories: rest.filter(isCategory).map(({ name }) => nameInSql(name)),
  };
}

/** What is known of an exposure as a number: by its values, and by a name that says so, for ids are numbers, too. */
function isNumber({ name, texts }: Look): boolean {
  if (!/price|position|slot|place|rank|score|discount|amount/i.test(name)) return false;
  return texts.every((text) => text === null || isMissing(text) || Number.isFinite(Number(text)));
}

/** A column of few words for many rows. */
function isCategory({ texts, counts }: Look): boolean {
  const distinct = counts.size;
  if (distinct < 2 || distinct > 500 || distinct > texts.length / 2) return false;
  return texts.some((text) => text !== null && !isMissing(text) && !Number.isFinite(Number(text)));
}

function propose(looks: readonly Look[], purposes: readonly Purpose[]): Inspected['proposals'] {
  const taken = new Set<string>();
  const proposals: Partial<Record<Purpose, Proposal>> = {};
  // What can be checked first: a time and labels are known by their values.
  const order: readonly Purpose[] = ['time', 'clicked', 'item', 'user', 'pageView', 'image', 'title'];
  for (const purpose of order.filter((each) => purposes.includes(each))) {
    const candidates = looks.flatMap((look) => {
      const proposal = taken.has(look.name) ? null : judge(purpose, look);
      return proposal === null ? [] : [proposal];
    });
    const [best] = candidates.sort((a, b) => a.rank - b.rank);
    if (best === undefined) continue;
    taken.add(best.name);
    proposals[purpose] = { column: best.column, why: best.why };
  }
  return proposals;
}

/** @returns how well a column serves a purpose, smaller being better; null where it does not */
function judge(purpose: Purpose, { name, texts, counts, timeMeaning }: Look) {
  const told = names[purpose].findIndex((pattern) => pattern.test(name.replace(/:\w+$/, '')));
  const rank = told === -1 ? names[purpose].length : told;
  const column = nameInSql(name);
  if (purpose === 'time') {
    return timeMeaning === null ? null : { rank, name, column, why: timeMeaning };
  }
  if (told === -1) return null;
  if (purpose === 'clicked') return labels(rank, name, column, texts, counts);
  return { rank, name, column, why: `its name; ${counts.size} different values` };
}

function labels(
  rank: number,
  name: string,
  column: string,
  texts: readonly (string | null)[],
  counts: TextCounts,
) {
  try {
    const labelOf = understandLabels(column, counts, undefined);
    const clicks = texts.filter((text) => labelOf(text) === true).length;
    const others = texts.filter((text) => labelOf(text) === false).length;
    if (clicks === 0 || others === 0) return null;
    return { rank, name, column, why: `${percent(clicks / (clicks + others))} of the rows are clicks` };
  } catch {
    // Events by name, of which one is the click.
    const click =
      counts.size <= 20
        ? texts.find(
            (text) =>
              text !== null && /^(click|tap|buy|bought|purchase|order|open|select|like|1$)/i.test(text),
          )
        : null;
    if (click == null) return null;
    const expression = `${column} = '${click.replaceAll("'", "''")}'`;
    return { rank, name, column: expression, why: `${click} is one of its ${counts.size} values` };
  }
}
