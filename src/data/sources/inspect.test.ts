import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { inspectTable } from './inspect.ts';

const purposes = ['user', 'item', 'time', 'clicked', 'pageView'] as const;

async function inspect(header: string, row: (index: number) => string) {
  const path = join(await temporaryFolder(), 'log.csv');
  await writeFile(path, [header, ...Array.from({ length: 60 }, (_, index) => row(index))].join('\n'));
  const { proposals, ...rest } = await inspectTable(path, 'Log', purposes);
  const columns = Object.fromEntries(Object.entries(proposals).map(([name, { column }]) => [name, column]));
  return { ...rest, proposals, proposed: columns };
}

describe('a look into a log', () => {
  it('proposes columns by their names and values, and says why', async () => {
    const { proposed, proposals, columns, numbers } = await inspect(
      'request_id,uid,ts,product_id,price,is_click,comment',
      (index) =>
        `r${index >> 1},u${index % 7},${1710428966000000 + index * 1e6},p${index % 20},${index},${index % 3 ? 0 : 1},${index % 2 ? '' : 'x'}`,
    );
    expect(proposed).toEqual({
      user: 'uid',
      item: 'product_id',
      time: 'ts',
      clicked: 'is_click',
      pageView: 'request_id',
    });
    expect(proposals.time?.why).toBe('microseconds since 1970');
    expect(proposals.clicked?.why).toBe('33 % of the rows are clicks');
    expect(numbers).toEqual(['price']);
    expect(columns.at(-1)).toMatchObject({ name: 'comment', missing: 0.5, distinct: 2, samples: ['x'] });
  });

  it('proposes an expression where events have names, and no column twice', async () => {
    const { proposed } = await inspect('user:token,item:token,event,date', (index) => {
      return `u${index % 7},i${index % 9},${index % 4 ? 'view' : 'click'},2024-03-${10 + (index % 20)}`;
    });
    expect(proposed).toEqual({
      user: '"user:token"',
      item: '"item:token"',
      time: 'date',
      clicked: "event = 'click'",
    });
  });

  it('says of how many rows it speaks where it has not looked at all', async () => {
    const path = join(await temporaryFolder(), 'long.csv');
    await writeFile(path, `user,item\n${'u,i\n'.repeat(20_001)}`);
    expect(await inspectTable(path, 'Log', purposes)).toMatchObject({ rows: 20_000, mayGoOn: true });
    expect(await inspect('user,item', () => 'u,i')).toMatchObject({ rows: 60, mayGoOn: false });
  });
});
