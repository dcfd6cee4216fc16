import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { type TinyTable, writeTinyTable } from '../../../test/support/tiny-shop.ts';
import { CourierError } from '../../errors.ts';
import type { IngestConfigInput } from './config.ts';
import { ingest } from './index.ts';

type Config = Extract<IngestConfigInput, { source: 'table' }>;

interface Shop extends TinyTable {
  readonly folder: string;
  /** Rows of the log with their header; of the catalogue. */
  readonly rows: string[];
  readonly items: string[];
  writeLog(rows: readonly string[] | string | Buffer): Promise<void>;
  writeCatalogue(rows: readonly string[] | string | Buffer): Promise<void>;
}

/** What a damaged input comes to: an error with a code, whose message has a text; or findings that have it. */
type Expected = readonly [kind: 'refused' | 'counted' | 'read', text: RegExp];

interface Damage {
  readonly name: string;
  readonly expected: Expected;
  damage(shop: Shop): Promise<Partial<Config> | undefined>;
}

const lines = (rows: readonly string[]) => `${rows.join('\n')}\n`;

/** Puts another text into a column of every row of a log, or of those that are chosen. */
function inColumn(rows: readonly string[], column: number, change: (cell: string, row: number) => string) {
  return rows.map((line, row) => {
    if (row === 0) return line;
    const cells = line.split(',');
    cells[column] = change(cells[column] ?? '', row);
    return cells.join(',');
  });
}

const [user, item, time, clicked, price] = [0, 1, 2, 3, 4];

function kind(
  name: string,
  expected: Expected,
  damage: (shop: Shop) => Promise<Partial<Config>> | Promise<void>,
): Damage {
  return { name, expected, damage: async (shop) => (await damage(shop)) ?? undefined };
}

const kinds: readonly Damage[] = [
  // Files
  kind('a log that is not there', ['refused', /not found.*nothing\.csv/], async ({ log }) => ({
    log: { ...log, path: '/nothing.csv' },
  })),
  kind('a log of no bytes', ['refused', /empty/], (shop) => shop.writeLog('')),
  kind('a log with a header alone', ['refused', /no rows/], (shop) => shop.writeLog(shop.rows.slice(0, 1))),
  kind('a log without a header', ['refused', /has no column/], (shop) => shop.writeLog(shop.rows.slice(1))),
  kind('a log of zeros', ['refused', /log\.csv|column/], (shop) => shop.writeLog(Buffer.alloc(4096))),
  kind('a log of random bytes', ['refused', /log\.csv|column|UTF-8/], (shop) =>
    shop.writeLog(Buffer.from(Array.from({ length: 4096 }, (_, place) => (place * 7919) % 251))),
  ),
  kind('a picture called log.csv', ['refused', /log\.csv|column|UTF-8/], async (shop) =>
    shop.writeLog(await readFile(join(shop.images, 'photo0.png'))),
  ),
  kind('a folder without files', ['refused', /empty-folder/], async ({ folder, log }) => {
    await mkdir(join(folder, 'empty-folder'));
    return { log: { ...log, path: join(folder, 'empty-folder') } };
  }),
  kind('a pattern that nothing matches', ['refused', /nothing-\*/], async ({ folder, log }) => ({
    log: { ...log, path: join(folder, 'nothing-*.csv') },
  })),
  kind('an extension that is not known', ['refused', /log\.xlsx/], async ({ folder, log }) => {
    await writeFile(join(folder, 'log.xlsx'), 'PK');
    return { log: { ...log, path: join(folder, 'log.xlsx') } };
  }),
  kind('a Parquet file that is none', ['refused', /log\.parquet/], async ({ folder, log }) => {
    await writeFile(join(folder, 'log.parquet'), 'PAR1 but no more');
    return { log: { ...log, path: join(folder, 'log.parquet') } };
  }),
  kind('a compressed file that is cut', ['refused', /log\.csv\.gz/], async ({ folder, log, rows }) => {
    const path = join(folder, 'log.csv.gz');
    await writeFile(path, gzipSync(lines(rows)));
    await truncate(path, 60);
    return { log: { ...log, path } };
  }),
  kind(
    'a compressed file that is not compressed',
    ['refused', /log\.csv\.gz/],
    async ({ folder, log, rows }) => {
      await writeFile(join(folder, 'log.csv.gz'), lines(rows));
      return { log: { ...log, path: join(folder, 'log.csv.gz') } };
    },
  ),
  kind('a query that is no SELECT', ['refused', /SELECT|statement/], async ({ log }) => ({
    log: { ...log, path: 'SELECT 1; DROP TABLE x' },
  })),
  kind('a query of a file that is not there', ['refused', /gone\.csv/], async ({ log }) => ({
    log: { ...log, path: "SELECT * FROM 'gone.csv'" },
  })),
  kind('a query that reads what was not named', ['refused', /passwd|not|permission/i], async ({ log }) => ({
    log: { ...log, path: "SELECT * FROM read_csv('/etc/pass' || 'wd')" },
  })),
  // Rows
  kind('a row that was cut', ['counted', /Rows of log\.csv skipped/], (shop) =>
    shop.writeLog([...shop.rows, 'user1,item1']),
  ),
  kind('a row with one value too many', ['counted', /too many columns/], (shop) =>
    shop.writeLog([...shop.rows, `${shop.rows[1]},more`]),
  ),
  kind('a quotation mark that is never closed', ['refused', /quote|unterminated|log\.csv|rows of/i], (shop) =>
    shop.writeLog(inColumn(shop.rows, item, (cell, row) => (row === 3 ? `"${cell}` : cell))),
  ),
  kind('bytes of no encoding in a row', ['refused', /not in UTF-8/], (shop) =>
    shop.writeLog(Buffer.concat([Buffer.from(lines(shop.rows)), Buffer.from([0x75, 0xff, 0xfe, 0x2c])])),
  ),
  kind('a line of megabytes', ['refused', /log\.csv/], (shop) =>
    shop.writeLog([...shop.rows, `u,${'x'.repeat(3_000_000)},2024-01-01,0,1,phone,more`]),
  ),
  kind('rows that are there twice', ['counted', /Duplicate rows/], (shop) =>
    shop.writeLog([...shop.rows, ...shop.rows.slice(1, 5)]),
  ),
  kind('two headers of one name', ['refused', /two columns called `item`/], (shop) =>
    shop.writeLog(['user,item,item,clicked,price,device', ...shop.rows.slice(1)]),
  ),
  // Users and items
  kind('users without an id', ['counted', /empty user/], (shop) =>
    shop.writeLog(inColumn(shop.rows, user, (cell, row) => (row === 9 ? '' : cell))),
  ),
  kind('users called nan', ['counted', /empty user/], (shop) =>
    shop.writeLog(inColumn(shop.rows, user, (cell, row) => (row === 9 ? 'NaN' : cell))),
  ),
  kind('most users without an id', ['refused', /rows of log\.csv cannot be used.*empty user/], (shop) =>
    shop.writeLog(inColumn(shop.rows, user, (cell, row) => (row % 2 ? 'None' : cell))),
  ),
  kind('ids with decimals', ['counted', /with decimals/], (shop) =>
    shop.writeLog(inColumn(shop.rows, user, (cell) => `${cell.slice(4)}.0`)),
  ),
  kind('ids that a spreadsheet rounded', ['refused', /spreadsheet/], (shop) =>
    shop.writeLog(inColumn(shop.rows, item, () => '4.00638E+12')),
  ),
  kind('ids that are lists', ['refused', /lists such as/], async (shop) => {
    await writeFile(
      join(shop.folder, 'log.tsv'),
      lines(
        shop.rows.map((row, place) =>
          row
            .split(',')
            .map((cell, column) => (place > 0 && column === item ? '[1, 2]' : cell))
            .join('\t'),
        ),
      ),
    );
    return { log: { ...shop.log, path: join(shop.folder, 'log.tsv') } };
  }),
  kind('a user with a large part of the log', ['counted', /single user/], (shop) => {
    const robot = Array.from(
      { length: 400 },
      (_, place) => `robot,item${place % 12},2024-01-0${1 + (place % 9)}T00:0${place % 6}:00,0,1,phone`,
    );
    return shop.writeLog([
      ...shop.rows,
      ...robot,
      ...Array.from(
        { length: 900 },
        (_, place) => `user-${place},item1,2024-01-0${1 + (place % 9)}T01:00:00,${place % 2},1,web`,
      ),
    ]);
  }),
  // Times
  kind('times that are words', ['refused', /no times that are understood/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, () => 'soon')),
  ),
  kind('a few times that are words', ['counted', /no time of 1990/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, (cell, row) => (row === 7 ? 'soon' : cell))),
  ),
  kind('times of 1970', ['counted', /no time of 1990/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, (cell, row) => (row === 7 ? '1970-01-01' : cell))),
  ),
  kind('times of 2999', ['counted', /no time of 1990/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, (cell, row) => (row === 7 ? '2999-01-01' : cell))),
  ),
  kind('days that do not exist', ['counted', /no time of 1990/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, (cell, row) => (row === 7 ? '2024-02-30' : cell))),
  ),
  kind('a time far from all others', ['counted', /far from all others/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, (cell, row) => (row === 7 ? '2004-01-01T00:00:00Z' : cell))),
  ),
  kind('days that can be months', ['refused', /mm\/dd\/yyyy and as dates dd\/mm\/yyyy/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, (_, row) => `0${1 + (row % 9)}/03/2024`)),
  ),
  kind('minutes since the begin', ['refused', /count from another moment/], (shop) =>
    shop.writeLog(inColumn(shop.rows, time, (_, row) => `${row * 5}`)),
  ),
  // Labels and numbers
  kind('labels that are names', ['refused', /view \(\d+\)/], (shop) =>
    shop.writeLog(inColumn(shop.rows, clicked, (cell) => (cell === '1' ? 'click' : 'view'))),
  ),
  kind('labels that are missing', ['refused', /empty in \d+ of/], (shop) =>
    shop.writeLog(inColumn(shop.rows, clicked, (cell) => (cell === '1' ? '1' : ''))),
  ),
  kind('a label that says nothing', ['counted', /neither click nor none/], (shop) =>
    shop.writeLog(inColumn(shop.rows, clicked, (cell, row) => (row === 5 ? 'perhaps' : cell))),
  ),
  kind('everything clicked', ['refused', /Every usable row/], (shop) =>
    shop.writeLog(inColumn(shop.rows, clicked, () => '1')),
  ),
  kind('nothing clicked', ['refused', /No usable row/], (shop) =>
    shop.writeLog(inColumn(shop.rows, clicked, () => '0')),
  ),
  kind('numbers that are words', ['counted', /price is not a finite number/], (shop) =>
    shop.writeLog(inColumn(shop.rows, price, (cell, row) => (row === 5 ? 'cheap' : cell))),
  ),
  kind('numbers that are infinite', ['counted', /price is not a finite number/], (shop) =>
    shop.writeLog(inColumn(shop.rows, price, (cell, row) => (row === 5 ? '1e999' : cell))),
  ),
  kind('numbers that no float holds', ['refused', /price has the value/], (shop) =>
    shop.writeLog(inColumn(shop.rows, price, (cell, row) => (row === 5 ? '1e300' : cell))),
  ),
  // Catalogue and photos
  kind('a catalogue that is not there', ['refused', /not found.*gone\.csv/], async ({ catalogue }) => ({
    catalogue: { ...catalogue, path: '/gone.csv' },
  })),
  kind('a catalogue of other ids', ['refused', /Ids do not meet.*item/], (shop) =>
    shop.writeCatalogue(shop.items.map((row) => row.replace(/^item/, 'sku-'))),
  ),
  kind('items that are there twice', ['counted', /already seen/], (shop) =>
    shop.writeCatalogue([...shop.items, shop.items[1]!]),
  ),
  kind('items that the catalogue lacks', ['counted', /not in the catalogue/], (shop) =>
    shop.writeCatalogue(shop.items.slice(0, -2)),
  ),
  kind('a folder of photos that is not there', ['refused', /not found.*no-photos/], async () => ({
    images: '/no-photos',
  })),
  kind('a folder of photos that is a file', ['refused', /log\.csv/], async ({ log }) => ({
    images: log.path,
  })),
  kind('a folder of other photos', ['refused', /Ids do not meet.*photo/], async ({ folder }) => {
    await mkdir(join(folder, 'others'));
    await writeFile(join(folder, 'others', 'holiday.jpg'), 'x');
    return { images: join(folder, 'others') };
  }),
  kind('photos that are cut', ['counted', /unreadable, truncated/], async ({ images }) => {
    await truncate(join(images, 'photo3.png'), 40);
  }),
  kind('photos that are texts', ['counted', /unreadable, truncated/], async ({ images }) => {
    await writeFile(join(images, 'photo3.png'), 'no picture');
  }),
  kind('photos that are drawings', ['counted', /unreadable, truncated/], async ({ images }) => {
    await writeFile(join(images, 'photo3.png'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  }),
  kind('photos that are too large', ['counted', /Photos over \d+ bytes/], async ({ images }) => {
    await truncate(join(images, 'photo3.png'), 30_000_000);
  }),
  kind('photos that are folders', ['counted', /the image folder lacks|no files/], async (shop) => {
    await shop.writeCatalogue(shop.items.map((row) => row.replace('photo3.png', 'photo99.png')));
    await mkdir(join(shop.images, 'photo99.png'));
  }),
  kind('photos that are links to nothing', ['counted', /Photos missing/], async (shop) => {
    await shop.writeCatalogue(shop.items.map((row) => row.replace('photo3.png', 'photo98.png')));
    await symlink(join(shop.folder, 'gone.png'), join(shop.images, 'photo98.png'));
  }),
  kind('photos in another format than their name', ['counted', /another format/], async ({ images }) => {
    await writeFile(
      join(images, 'photo3.png'),
      Buffer.from('R0lGODdhAQABAIABAP8AAP///ywAAAAAAQABAAACAkQBADs=', 'base64'),
    );
  }),
];

async function shopOf(): Promise<Shop> {
  const folder = await temporaryFolder();
  const options = await writeTinyTable(folder);
  const read = async (path: string) => (await readFile(path, 'utf8')).trim().split('\n');
  const write = (path: string) => (rows: readonly string[] | string | Buffer) =>
    writeFile(path, typeof rows === 'string' || Buffer.isBuffer(rows) ? rows : lines(rows));
  return {
    ...options,
    folder,
    rows: await read(options.log.path),
    items: await read(options.catalogue.path),
    writeLog: write(options.log.path),
    writeCatalogue: write(options.catalogue.path),
  };
}

describe('damaged input', () => {
  it('has fifty kinds and more, each with a name of its own', () => {
    expect(new Set(kinds.map(({ name }) => name)).size).toBe(kinds.length);
    expect(kinds.length).toBeGreaterThanOrEqual(50);
  });

  it.each(kinds)('$name is counted or refused in words', async ({ expected: [outcome, text], damage }) => {
    const shop = await shopOf();
    const changed = (await damage(shop)) ?? {};
    const { log, catalogue, images } = shop;
    const config: Config = {
      source: 'table',
      log,
      catalogue,
      images,
      side: 8,
      maxBadRows: 0.02,
      out: join(shop.folder, 'out'),
      ...changed,
    };
    const result = await ingest(config).then(
      ({ report }) => report,
      (error: unknown) => error,
    );
    if (outcome === 'refused') {
      expect(result).toBeInstanceOf(CourierError);
      const { message, remedy } = result as CourierError;
      expect(message + remedy).toMatch(text);
      expect(message).not.toMatch(/\n|undefined|\[object/);
      expect(remedy).not.toBe('');
    } else {
      expect(result).not.toBeInstanceOf(Error);
      const { findings } = result as Awaited<ReturnType<typeof ingest>>['report'];
      expect(findings.map(({ what }) => what).join('\n')).toMatch(text);
    }
  });
});
