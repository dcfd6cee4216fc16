import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { csv, type TinyTable, writeTinyTable } from '../../../test/support/tiny-shop.ts';
import { writeParquet } from '../duckdb/parquet.ts';
import type { SourceData } from './source.ts';
import { tableSource } from './table.ts';

interface Changed {
  readonly log?: Partial<TinyTable['log']>;
  readonly rest?: Record<string, unknown>;
  readonly maxBadRows?: number;
}

/** Reads the tiny shop after a change of its files or options. */
async function read(
  change: (folder: string, options: TinyTable) => Promise<Changed | undefined>,
): Promise<SourceData> {
  const folder = await temporaryFolder();
  const options = await writeTinyTable(folder);
  const { log, rest, maxBadRows = 0 } = (await change(folder, options)) ?? {};
  const merged = { ...options, minimumJoin: 0, log: { ...options.log, ...log }, ...rest };
  const changed = tableSource.options.parse(merged);
  return tableSource.read(changed, { seed: 1, maxBadRows, historyLength: 5, scratch: folder });
}

const header = ['user', 'item', 'time', 'clicked', 'price', 'device'];
type Row = readonly (string | number)[];

/** Ten page views of two items, one hour apart, the first of each clicked. */
const tenViews: Row[] = Array.from({ length: 20 }, (_, row) => {
  const hour = String(row >> 1).padStart(2, '0');
  return ['u1', `item${row % 2}`, `2024-01-01T${hour}:00`, row % 2 === 0 ? 1 : 0, 5, 'phone'];
});

function readLog(rows: readonly Row[], changed: Changed = {}): Promise<SourceData> {
  return read(async (_, { log }) => {
    await writeFile(log.path, csv([header, ...rows]));
    return changed;
  });
}

function found({ findings }: SourceData): Record<string, number> {
  return Object.fromEntries(findings.map(({ what, count }) => [what, count]));
}

describe('the table adapter', () => {
  it('makes one page view of the rows of a user and a time', async () => {
    const { pageViews, exposures, candidateSampling } = await readLog(tenViews);
    expect(pageViews.user).toHaveLength(10);
    expect([...exposures.clicked.subarray(0, 4)]).toEqual([1, 0, 1, 0]);
    expect(pageViews.splitTimes).toBeNull();
    expect(candidateSampling).toBe('exposed by the shop');
  });

  it('says of exposures and of rows that it skips where they stand in the file, whatever lines are no rows', async () => {
    const { exposures, findings } = await read(async (_, { log }) => {
      const lines = csv([header, ...tenViews])
        .trimEnd()
        .split('\n');
      const nobody = lines[10]!.replace('u1', '');
      const odd = [
        ...lines.slice(0, 3),
        'broken,line',
        '',
        ...lines.slice(3, 10),
        nobody,
        ...lines.slice(11),
      ];
      await writeFile(log.path, `${odd.join('\n')}\n`);
      return { maxBadRows: 0.2 };
    });
    const rows = [1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21];
    expect([...exposures.logged!.row].sort((one, other) => one - other)).toEqual(rows);
    expect(findings.flatMap(({ what, examples }) => (/skipped/.test(what) ? examples : []))).toEqual([
      'row 3: broken,line',
      'row 11: (empty)',
    ]);
  });

  it('joins rows by the page view column, at the earliest of their times', async () => {
    const rows = tenViews.map((row, index) => [...row.slice(0, 3), row[3]!, index >> 2, 'phone']);
    const { pageViews, exposures } = await readLog(rows, {
      log: Object.assign({ numeric: [] }, { pageView: 'price', pageViewMinutes: 90 }),
      rest: { validationFrom: '2024-01-01T06:00', testFrom: '2024-01-01T08:00' },
    });
    expect([...pageViews.time].map((time) => new Date(time).getUTCHours())).toEqual([0, 2, 4, 6, 8]);
    expect(pageViews.splitTimes).toEqual({
      validationFrom: Date.UTC(2024, 0, 1, 6),
      testFrom: Date.UTC(2024, 0, 1, 8),
    });
    expect(exposures.item).toHaveLength(10);
  });

  it('takes what was shown from the rows, and clicks at the time that a column says', async () => {
    const late = tenViews.map((row) => [...row.slice(0, 4), row[3] === 1 ? '2024-01-02' : '', 'phone']);
    const { clicks, shown } = await readLog(late, {
      log: Object.assign({ numeric: [] }, { clickedAt: 'price' }),
    });
    expect([...clicks.time]).toEqual(Array(10).fill(Date.UTC(2024, 0, 2)));
    expect([...(shown?.time ?? [])]).toEqual(
      tenViews.map((_, row) => Date.UTC(2024, 0, 1) + (row >> 1) * 3_600_000),
    );
  });

  it('skips a click without a time of its own, and one before it was shown', async () => {
    const [first = [], ...others] = tenViews.map((row) => [...row.slice(0, 4), row[2]!, 'phone']);
    const bad = ['', '2023-12-31'].map((clickedAt) => [...first.slice(0, 4), clickedAt, 'phone']);
    const changed = { log: Object.assign({ numeric: [] }, { clickedAt: 'price' }), maxBadRows: 0.2 };
    expect(found(await readLog([first, ...others, ...bad], changed))).toEqual({
      'Rows of log.csv skipped: price of a click is no time': 1,
      'Rows of log.csv skipped: price is before time': 1,
    });
  });

  it.each(['tsv', 'semicolon.csv', 'jsonl', 'parquet'])('reads the same from %s', async (extension) => {
    const expected = await readLog(tenViews);
    const data = await read(async (folder) => {
      const path = join(folder, `copy.${extension}`);
      if (extension === 'parquet') {
        const texts = header.map((_, column) => tenViews.map((row) => String(row[column])));
        await writeParquet(
          path,
          header.map((name, column) => ({ name, type: 'VARCHAR', values: texts[column]! })),
        );
      } else if (extension === 'jsonl') {
        const lines = tenViews.map((row) =>
          JSON.stringify(Object.fromEntries(header.map((name, column) => [name, row[column]]))),
        );
        await writeFile(path, lines.join('\n'));
      } else {
        const separator = extension === 'tsv' ? '\t' : ';';
        await writeFile(path, csv([header, ...tenViews]).replaceAll(',', separator));
      }
      return { log: { path } };
    });
    expect({ ...data, items: [] }).toEqual({ ...expected, items: [] });
  });

  it('samples candidates when the log tells purchases only', async () => {
    const rows = Array.from({ length: 60 }, (_, row) => {
      return [`u${row % 3}`, `item${(row * 7) % 40}`, Date.UTC(2024, 0, 1 + row), 1, 1, 'phone'];
    });
    const { pageViews, exposures, candidateSampling } = await read(async (_, { log }) => {
      await writeFile(log.path, csv([header, ...rows]));
      return {
        rest: { log: { path: log.path, user: 'user', item: 'item', time: 'time', context: ['device'] } },
      };
    });
    expect(candidateSampling).toContain('sampled (hm-v2)');
    expect(exposures.clicked.reduce((sum, clicked) => sum + clicked, 0)).toBe(pageViews.user.length);
    const [device] = pageViews.context;
    expect(new Set(device?.codes)).toEqual(new Set([device?.values.indexOf('phone')]));
  });

  it('says that every row was taken for a click where a column of ratings or events is not used', async () => {
    const rows = Array.from({ length: 60 }, (_, row) =>
      [
        `u${row % 3}`,
        `item${(row * 7) % 40}`,
        Date.UTC(2024, 0, 1 + row),
        1 + (row % 5),
        9,
        `e${row}`,
      ].join(),
    );
    const findingsOf = async (header: string, log: object) => {
      const data = await read(async (_, { log: { path } }) => {
        await writeFile(path, [header, ...rows].join('\n'));
        return { rest: { log: { path, user: 'user', item: 'item', time: 'time', ...log } } };
      });
      return Object.entries(found(data)).filter(([what]) => what.startsWith('Every row'));
    };
    expect(await findingsOf('user,item,time,rating,price,event_id', {})).toEqual([
      [
        expect.stringContaining(
          '`rating` may say that some are none: name it, such as with --clicked "rating::DOUBLE >= 4"',
        ),
        60,
      ],
    ]);
    expect(
      await findingsOf('user,item,time,rating,price,event_id', { clicked: 'rating::DOUBLE >= 4' }),
    ).toEqual([]);
    expect(await findingsOf('user,item,time,action,price,event_id', {})).toEqual([
      [expect.stringContaining('with --clicked "action"'), 60],
    ]);
    expect(await findingsOf('user,item,time,size,price,event_id', {})).toEqual([]);
  });

  it('counts and skips unusable rows, up to the limit', async () => {
    const bad = [
      ['', 'item1', '2024-01-01', 0, 1, ''],
      ['u1', 'item1', 'soon', 0, 1, ''],
      ['u1', 'item1', '2024-01-01', 'maybe', 1, ''],
      ['u1', 'item1', '2024-01-01', 0, 'Infinity', ''],
      ['u1', 'item1', '2024-01-01', 0, 1, '', 'one too many'],
    ];
    const data = await readLog([...tenViews, ...bad], { maxBadRows: 0.2 });
    expect(found(data)).toEqual({
      'Rows of log.csv skipped: too many columns': 1,
      'Rows of log.csv skipped: empty user': 1,
      'Rows of log.csv skipped: time is no time of 1990 to today': 1,
      'Rows of log.csv skipped: clicked is neither click nor none': 1,
      'Rows of log.csv skipped: price is not a finite number': 1,
    });
    expect(data.pageViews.user).toHaveLength(10);
    await expect(readLog([...tenViews, ...bad], { maxBadRows: 0.19 })).rejects.toMatchObject({
      code: 'TOO_MANY_BAD_ROWS',
      message: expect.stringContaining('5 of 25 rows of log.csv'),
    });
  });

  it('shows at most five examples of a finding, each of them short and on one line', async () => {
    const bad = Array.from({ length: 9 }, () => ['u', 'i', `"${'x\n'.repeat(400)}"`, 0, 1, '']);
    const [many] = (await readLog([...tenViews, ...bad], { maxBadRows: 1 })).findings;
    expect(many?.count).toBe(9);
    expect(many?.examples).toHaveLength(5);
    for (const example of many?.examples ?? []) expect(example).toMatch(/^.{1,100}$/);
  });

  it('drops exact duplicates and merges two rows of one item in a page view', async () => {
    const again = [tenViews[0]!, [...tenViews[1]!.slice(0, 3), 1, 5, 'phone']];
    const data = await readLog([...tenViews, ...again]);
    expect(found(data)).toEqual({
      'Duplicate rows of the log dropped': 1,
      'Rows of an item already in its page view, merged into one': 1,
    });
    expect([...data.exposures.clicked.subarray(0, 2)]).toEqual([1, 1]);
  });

  it('reads a comma as one of decimals where no number has a point, and says so', async () => {
    const commas = tenViews.map((row, place) => [...row.slice(0, 4), `"${place},5"`, 'phone']);
    const data = await readLog(commas);
    expect([...data.exposures.numeric[0]!.values.subarray(0, 3)]).toEqual([0.5, 1.5, 2.5]);
    expect(found(data)).toEqual({ 'Numbers of price with a comma before their decimals': 20 });
    const mixed = commas.with(0, [...tenViews[0]!.slice(0, 4), '0.5', 'phone']);
    await expect(readLog(mixed)).rejects.toThrow(/price is not a finite number \(19, such as row 2: 1,5\)/);
  });

  it('tells of contexts that differ within a page view, and of more clicks than not', async () => {
    const mixed = tenViews.map((row, place) => [...row.slice(0, 5), place === 1 ? 'web' : 'phone']);
    const [what] = Object.keys(found(await readLog(mixed)));
    expect(what).toMatch(/Page views in which device differs/);
    const reversed = tenViews.map((row, place) => [...row.slice(0, 3), place < 16 ? 1 : 0, ...row.slice(4)]);
    expect(Object.keys(found(await readLog(reversed)))[0]).toMatch(/does clicked say what was clicked/);
  });

  it('adds items that are in the log only, without metadata', async () => {
    const data = await readLog([...tenViews, ['u1', 'new', '2024-01-01T09:00', 0, 5, 'phone']]);
    expect(data.items.at(-1)).toEqual({ id: 'new', photo: null, title: null, categories: [null] });
    expect(found(data)).toEqual({ 'Items of the log that are not in the catalogue': 1 });
  });

  it('finds photos by item id when the catalogue names none', async () => {
    const { items } = await read(async (folder, { catalogue }) => {
      const { image: _, ...rest } = catalogue;
      await writeFile(join(folder, 'images', 'item3.WEBP'), '');
      await writeFile(join(folder, 'images', 'item4.txt'), '');
      return { rest: { catalogue: rest } };
    });
    const paths = items.flatMap(({ photo }) => (photo?.kind === 'file' ? [photo.path] : []));
    expect(paths.map((path) => path.slice(-10))).toEqual(['item3.WEBP']);
  });

  it('never follows an image path out of the image folder', async () => {
    const data = await read(async (_, { catalogue }) => {
      const paths = ['../log.csv', '/etc/passwd', 'sub/../../log.csv', 'photo3.png'];
      const rows = paths.map((path, item) => [`item${item}`, path, 'title', 'kind']);
      await writeFile(catalogue.path, csv([['id', 'photo', 'title', 'kind'], ...rows]));
      return undefined;
    });
    expect(data.items.slice(0, 4).map(({ photo }) => photo === null)).toEqual([true, true, true, false]);
    expect(found(data)['Image paths that lead out of the image folder, ignored']).toBe(3);
  });

  it('names a missing column and those that exist', async () => {
    await expect(read(async () => ({ log: { item: 'itm' } }))).rejects.toMatchObject({
      code: 'COLUMN_MISSING',
      message: expect.stringMatching(/log\.csv has no column `itm`; it has `user`, `item`, `time`/),
    });
  });

  it('refuses a log without rows, without clicks, or without bytes', async () => {
    await expect(readLog([])).rejects.toMatchObject({ code: 'LOG_EMPTY' });
    const unclicked = tenViews.map((row) => [...row.slice(0, 3), 0, 5, 'phone']);
    await expect(readLog(unclicked)).rejects.toMatchObject({ code: 'LOG_WITHOUT_CLICKS' });
    const empty = read(async (_, { log }) => {
      await writeFile(log.path, '');
      return undefined;
    });
    await expect(empty).rejects.toMatchObject({ code: 'LOG_EMPTY' });
  });

  it('refuses files that are missing, of unknown format, or not what they are called', async () => {
    const images = read(async () => ({ rest: { images: '/no/such/folder' } }));
    await expect(images).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    const log = read(async () => ({ log: { path: '/no/such/log.csv' } }));
    await expect(log).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    const excel = read(async (folder) => {
      await writeFile(join(folder, 'log.xlsx'), 'x');
      return { log: { path: join(folder, 'log.xlsx') } };
    });
    await expect(excel).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const parquet = read(async (folder) => {
      await writeFile(join(folder, 'log.parquet'), 'PAR1');
      return { log: { path: join(folder, 'log.parquet') } };
    });
    await expect(parquet).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});
