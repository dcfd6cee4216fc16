import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { compact } from './compaction.ts';
import { type Content, decodeContent, encodeContent } from './events.ts';
import { openStateStore } from './open-store.ts';

/** An event at a time, acknowledged at another. */
const click = (time: number, at: number) => ({
  at,
  is: { kind: 'click', user: 'u', item: 'i', time } satisfies Content,
});
const removal = (id: string, at: number) => ({ at, is: { kind: 'removal', id } satisfies Content });
const put = (id: string, price: number, at: number) => ({
  at,
  is: {
    kind: 'item',
    id,
    categories: {},
    numeric: { price },
    photo: null,
    embedding: null,
  } satisfies Content,
});

describe('a log that is shortened', () => {
  it('forgets what the export knows and is old enough, keeps the last word on each item, and nothing else', async () => {
    const store = await openStateStore(join(await temporaryFolder(), 'state.mdb'));
    const kept = [
      click(5, 10),
      put('a', 1, 11),
      put('b', 1, 12),
      click(6, 13),
      put('a', 2, 14),
      removal('b', 15),
      // An event that the export does not know ends what can be forgotten.
      click(100, 16),
      put('c', 1, 17),
      click(7, 18),
    ];
    for (const [place, content] of kept.entries())
      await store.append([{ id: `${place}`, content: encodeContent(content) }]);
    const contents = async () => (await store.read(0, 100)).map(({ content }) => decodeContent(content));
    await compact(store, 50, 5);
    expect(await contents()).toEqual(kept);
    await compact(store, 50, 1000);
    expect(await contents()).toEqual([...kept.slice(6), put('a', 2, 14), removal('b', 15)]);
    await compact(store, 50, 1000);
    expect(await contents()).toEqual([...kept.slice(6), put('a', 2, 14), removal('b', 15)]);
    // Sent again, it is new to the log: that it does not count is due to its time.
    expect(await store.append([{ id: '0', content: encodeContent(click(5, 20)) }])).toEqual([true]);
    await store.close();
  });
});
