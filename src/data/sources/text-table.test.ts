import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BadRows, Findings } from '../findings.ts';
import type { TextOptions } from './relation.ts';
import { readTextTable } from './text-table.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'courier-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(input: string, names: string[], options: TextOptions = {}) {
  const findings = new Findings();
  const reading = { what: 'Log', badRows: new BadRows('log', findings), findings, ...options };
  const table = await readTextTable(input, names, reading);
  return { table, findings: findings.list(), rows: names.map((name) => table.columns.get(name)) };
}

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}

const text = 'user,item\nu1,a\nu2,b\n';
const expected = [
  ['u1', 'u2'],
  ['a', 'b'],
];

describe('a table of texts', () => {
  it('is read from a file, a pattern, a folder of parts, a compressed file and a query', async () => {
    const path = await file('parts/part-0.csv', 'user,item\nu1,a\n');
    await file('parts/part-1.csv', 'user,item\nu2,b\n');
    await file('parts/_SUCCESS', '');
    await file('parts/.part-0.csv.crc', 'x');
    const zipped = await file('log.csv.gz', gzipSync(text));
    const inputs = [
      await file('log.csv', text),
      join(folder, 'parts'),
      join(folder, 'parts', '*.csv'),
      zipped,
      `SELECT user, item FROM '${join(folder, 'parts')}/*.csv' ORDER BY user;`,
    ];
    for (const input of inputs) expect((await read(input, ['user', 'item'])).rows).toEqual(expected);
    expect((await read(path, ['user'])).rows).toEqual([['u1']]);
  });

  it('has columns that are expressions over those of the file', async () => {
    const path = await file('expression.csv', 'user,item,price\nu1,a,3\nu2,b,5\n');
    const names = ["upper(user) || '-' || item", 'price::DOUBLE > 4'];
    expect((await read(path, names)).rows).toEqual([
      ['U1-a', 'U2-b'],
      ['false', 'true'],
    ]);
  });

  it('reaches no other file, no network, and no setting through an expression or a query', async () => {
    const path = await file('log-of-all.csv', text);
    const secret = await file('secret.csv', 'key\nx\n');
    const away = [
      `(SELECT max(key) FROM '${secret}')`,
      "(SELECT content FROM read_text('/etc/hostname'))",
      "(SELECT max(x) FROM 'https://shop.example/a.csv')",
    ];
    for (const expression of away)
      await expect(read(path, [expression])).rejects.toMatchObject({ code: 'COLUMN_MISSING' });
    await expect(read("SELECT 1 AS user; SET memory_limit = '1GB'", ['user'])).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('runs nothing but one SELECT: neither an expression nor a query writes', async () => {
    const path = await file('kept.csv', text);
    const write = `COPY (SELECT 'gone') TO '${path}' (FORMAT csv, USE_TMP_FILE false)`;
    for (const expression of [`1) FROM range(1); ${write}; SELECT (1`, `1); ${write}; --`])
      await expect(read(path, [expression])).rejects.toMatchObject({
        code: 'COLUMN_MISSING',
        message: expect.stringContaining('more than one statement'),
      });
    const pattern = `SELECT * FROM '${folder}/kept*.csv'`;
    for (const query of [`${pattern}); ${write}; SELECT * FROM (SELECT 1 AS user`, `${pattern}; ${write}`])
      await expect(read(query, ['user'])).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('says which file of a query is not there', async () => {
    for (const path of ['nowhere/log.csv', 'nowhere/*.csv'])
      await expect(read(`SELECT * FROM '${path}'`, ['user'])).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
        message: expect.stringContaining(path),
      });
  });

  it('takes a whole number of a column with decimals for that number, and NaN for nothing', async () => {
    const query = "SELECT * FROM (VALUES (100019.0), ('NaN'::DOUBLE), (2.5)) AS log(item)";
    expect((await read(query, ['item'])).rows).toEqual([['100019', null, '2.5']]);
  });

  it('reads lines of JSON with a mark, NaN and a line that was cut; arrays; and objects over lines', async () => {
    const lines = await file('log.jsonl', '\ufeff{"user": "u1", "price": NaN}\n{"user": "u2"}\n{"user": "u');
    const { rows, findings } = await read(lines, ['user', 'price']);
    expect(rows).toEqual([
      ['u1', 'u2'],
      ['NaN', null],
    ]);
    expect(findings).toEqual([
      { what: 'Rows of log skipped: it is not valid JSON', count: 1, examples: ['row 3: {"user": "u'] },
    ]);
    for (const [name, content] of [
      ['array.json', '[{"user": "u1"}, {"user": "u2"}]'],
      ['pretty.json', '{\n  "user": "u1"\n}\n{\n  "user": "u2"\n}\n'],
    ] as const)
      expect((await read(await file(name, content), ['user'])).rows).toEqual([['u1', 'u2']]);
  });

  it('reads other encodings by their mark or by name, and names the line that is none', async () => {
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('user\ncafé\n', 'utf16le')]);
    expect((await read(await file('wide.csv', wide), ['user'])).rows).toEqual([['café']]);
    const latin = await file('latin.csv', Buffer.from('user\ncafé\n', 'latin1'));
    expect((await read(latin, ['user'], { encoding: 'latin1' })).rows).toEqual([['café']]);
    await expect(read(latin, ['user'])).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: 'Line 2 of latin.csv is not in UTF-8.',
    });
    await expect(read(latin, ['user'], { encoding: 'latin-9000' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('takes no quotation mark of a file with tabs for quoting, unless its header has some', async () => {
    const stray = await file('stray.tsv', 'user\titem\nu1\t"a\nu2\tb"\n');
    expect((await read(stray, ['item'])).rows).toEqual([['"a', 'b"']]);
    const quoted = await file('quoted.tsv', '"user"\t"item"\n"u1"\t"a\tb"\n');
    expect((await read(quoted, ['item'])).rows).toEqual([['a\tb']]);
  });

  it('tells of a value that has swallowed rows, which no quoting at all would not', async () => {
    const path = await file('swallowed.csv', 'user,item,x\nu1,"a,1\nu2,b,2\nu3,c,3\nu4,d",4\n');
    const { findings, table } = await read(path, ['user', 'item']);
    expect(table.total).toBe(1);
    expect(findings[0]?.what).toContain('span lines which look like rows');
    expect((await read(path, ['user'], { quote: 'none' })).rows).toEqual([['u1', 'u2', 'u3', 'u4']]);
  });

  it('refuses lists, structures, bytes and two columns of one name, with what to do', async () => {
    const nested = "SELECT ['a', 'b'] AS items, {'id': 1} AS user, 'x'::BLOB AS image";
    for (const [name, text] of [
      ['items', 'unnest(items)'],
      ['user', 'user.field'],
      ['image', 'texts'],
    ] as const)
      await expect(read(nested, [name])).rejects.toMatchObject({
        code: 'VALUE_INVALID',
        remedy: expect.stringContaining(text),
      });
    const twice = await file('twice.csv', 'user,user\na,b\n');
    await expect(read(twice, ['user'])).rejects.toMatchObject({
      message: expect.stringContaining('two columns called `user`'),
    });
  });

  it('numbers its rows as they stand in the input, where some lines are no rows, some blank, and some rows several lines', async () => {
    const line = fc.constantFrom('row', 'lines', 'blank line within', 'few', 'many', 'blank');
    const files = fc.array(fc.array(line, { maxLength: 8 }), { minLength: 1, maxLength: 3 });
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(files, fc.boolean(), async (parts, told) => {
        const name = `numbered-${tried++}`;
        const numbers: number[] = [];
        const skipped: number[] = [];
        let row = 0;
        for (const [place, lines] of parts.entries()) {
          const written = lines.map((each) => {
            if (each === 'blank') return '';
            row++;
            (each === 'few' || each === 'many' ? skipped : numbers).push(row);
            if (each === 'few') return `${row}`;
            if (each === 'many') return `${row};a;b`;
            if (each === 'lines') return `${row};"a\nb"`;
            return each === 'row' ? `${row};a` : `${row};"a\n\nb"`;
          });
          await file(
            join(name, `part-${place}.csv`),
            [...(told ? ['sep=;'] : []), 'number;text', ...written, ''].join('\n'),
          );
        }
        const { table, findings } = await read(join(folder, name), ['number', 'text']);
        expect(table.row).toEqual(numbers);
        expect(table.columns.get('number')).toEqual(numbers.map(String));
        expect(table.total).toBe(row);
        const messages = findings.flatMap(({ what, examples }) => (what.includes('skipped') ? examples : []));
        for (const each of skipped.slice(0, 1))
          expect(messages.join()).toMatch(new RegExp(`row ${each}: ${each}`));
      }),
      { numRuns: 60 },
    );
  });

  it('numbers lines of JSON likewise', async () => {
    const path = await file(
      'numbered.jsonl',
      '{"user":"u1"}\n\nno json\n{"user":"u3"}\n[4]\n{"user":"u5"}\n',
    );
    const { table, findings } = await read(path, ['user']);
    expect(table.row).toEqual([1, 3, 5]);
    expect(findings[0]?.examples).toEqual(['row 2: no json', 'row 4: [4]']);
  });
});
