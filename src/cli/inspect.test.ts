import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { courier } from '../../test/support/terminal.ts';
import { generateShop } from '../shop/generate.ts';

it('ingest --inspect proposes a command that ingests as it is printed', async () => {
  const folder = await temporaryFolder();
  const shop = join(folder, 'shop');
  const files = await generateShop({ items: 60, shoppers: 12, pageViews: 240, photoSide: 16, out: shop });
  const inputs = ['--log', files.clicks, '--catalogue', files.catalogue, '--images', files.images];
  const looked = await courier('ingest', '--json', '--inspect', ...inputs);
  expect(looked.exitCode).toBe(0);
  const command = String(looked.json['command']);
  expect(looked.stderr).toContain(command);
  const words = [...command.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|(\S+)/g)].map(
    (word) => word[1] ?? word[2]!,
  );
  expect(words.slice(0, 2)).toEqual(['courier', 'ingest']);
  const out = join(folder, 'dataset');
  const ran = await courier('ingest', '--json', ...words.slice(2, -1), out, '--side', '8');
  expect([ran.exitCode, ran.json]).toMatchObject([0, { dataset: out, counts: { 'page views': 240 } }]);
});

it('ingest --inspect says where there are no rows, or more than it has looked at', async () => {
  const folder = await temporaryFolder();
  const looked = async (rows: number) => {
    const path = join(folder, `${rows}.csv`);
    await writeFile(path, `user,item\n${'u,i\n'.repeat(rows)}`);
    return (await courier('ingest', '--json', '--inspect', path)).stderr;
  };
  expect(await looked(0)).toContain('Click log, which has no rows:');
  expect(await looked(2)).toContain('Click log:');
  expect(await looked(20_001)).toContain('Click log, by its first 20,000 rows:');
});
