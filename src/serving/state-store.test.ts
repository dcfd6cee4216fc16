import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, inRedis, type RedisServer, startRedis } from '../../test/support/redis.ts';
import { openStateStore } from './open-store.ts';
import type { StateStore } from './state-store.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const entry = (id: string, text = id) => ({ id, content: bytes(text) });

let folder: string;
let redis: RedisServer | null = null;
let stores = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'courier-'));
  if (hasRedis) redis = await startRedis(folder);
});
afterAll(async () => {
  await redis?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Addresses of stores that nobody has used. */
const places = {
  'in LMDB': () => join(folder, `${stores++}`, 'state.mdb'),
  [inRedis]: () => `${redis?.url}?prefix=test${stores++}`,
};

for (const [name, newPlace] of Object.entries(places)) {
  describe.skipIf(name === inRedis && !hasRedis)(`a log ${name}`, () => {
    const withStore = async (work: (store: StateStore) => Promise<void>, place = newPlace()) => {
      const store = await openStateStore(place);
      await work(store).finally(() => store.close());
    };

    async function textsOf(store: StateStore, behind = 0): Promise<readonly string[]> {
      const entries = await store.read(behind, 10_000);
      return entries.map(({ content }) => new TextDecoder().decode(content));
    }

    it('gives back what was appended, in order and behind any position, whatever the bytes', async () => {
      await withStore(async (store) => {
        const contents = fc.sample(fc.uint8Array({ maxLength: 300 }), { numRuns: 60, seed: 1 });
        const entries = contents.map((content, index) => ({ id: `é${index}`, content }));
        await store.append(entries.slice(0, 20));
        for (const each of entries.slice(20)) await store.append([each]);
        const read = await store.read(0, 1000);
        expect(read.map(({ id, content }) => ({ id, content: Array.from(content) }))).toEqual(
          entries.map(({ id, content }) => ({ id, content: Array.from(content) })),
        );
        const behind = read[30]!.position;
        expect((await store.read(behind, 5)).map(({ id }) => id)).toEqual(
          entries.slice(31, 36).map(({ id }) => id),
        );
      });
    });

    it('appends each id once, within a call and between calls side by side', async () => {
      await withStore(async (store) => {
        expect(await store.append([entry('a'), entry('b'), entry('a', 'other')])).toEqual([
          true,
          true,
          false,
        ]);
        const many = Array.from({ length: 20 }, (_, index) => entry(`${index % 5}`, `${index}`));
        const appended = await Promise.all(many.map((each) => store.append([each])));
        expect(appended.flat().filter((isNew) => isNew)).toHaveLength(5);
        expect(await textsOf(store)).toHaveLength(7);
        expect(await store.append([])).toEqual([]);
      });
    });

    it('is one log to all who have it open, and to those who open it later', async () => {
      const place = newPlace();
      await withStore(async (one) => {
        await withStore(async (other) => {
          const sent = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? one : other)).map(
            (store, index) => store.append([entry(`${index}`)]),
          );
          await Promise.all(sent);
          expect([...(await textsOf(one))].sort()).toEqual([...(await textsOf(other))].sort());
          expect(await textsOf(one)).toEqual(await textsOf(other));
        }, place);
      }, place);
      await withStore(async (store) => expect(await textsOf(store)).toHaveLength(40), place);
    });

    it('forgets its beginning and the ids there, and goes on with new positions', async () => {
      const place = newPlace();
      await withStore(async (store) => {
        await store.append(['a', 'b', 'c'].map((id) => entry(id)));
        const [, second] = await store.read(0, 3);
        await store.forget(second!.position);
        expect(await textsOf(store)).toEqual(['c']);
        expect(await store.append([entry('c'), entry('a')])).toEqual([false, true]);
      }, place);
      await withStore(async (store) => {
        const positions = (await store.read(0, 10)).map(({ position }) => position);
        expect(positions).toEqual([3, 4]);
      }, place);
    });

    it('keeps bytes under a name', async () => {
      await withStore(async (store) => {
        await store.keep('photo', Uint8Array.of(0, 255, 10, 13));
        expect(Array.from((await store.kept('photo')) ?? [])).toEqual([0, 255, 10, 13]);
        expect(await store.kept('none')).toBeNull();
      });
    });
  });
}

describe.skipIf(!hasRedis)(`state ${inRedis}`, () => {
  it('is refused where Redis would lose what it acknowledged, and where nobody answers', async () => {
    const other = await mkdtemp(join(folder, 'volatile-'));
    const server = await startRedis(other, false);
    await expect(openStateStore(server.url)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await server.close();
    await expect(openStateStore(server.url)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });

  it('loses nothing acknowledged and doubles nothing when Redis is killed, again and again', async () => {
    const other = await mkdtemp(join(folder, 'crash-'));
    const server = await startRedis(other);
    const store = await openStateStore(server.url);
    const acknowledged: string[] = [];
    let isOver = false;
    const write = async (writer: number) => {
      for (let number = 0; !isOver; number++) {
        const id = `${writer}-${number}`;
        // What failed is sent again under its id until it is acknowledged.
        while (
          !(await store.append([entry(id)]).then(
            () => true,
            () => false,
          ))
        )
          await new Promise((resolve) => setTimeout(resolve, 5));
        acknowledged.push(id);
      }
    };
    const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
    for (let kill = 0; kill < 5; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await server.crash();
    }
    isOver = true;
    await Promise.all(writers);
    const kept = (await store.read(0, 1_000_000)).map(({ id }) => id);
    expect(new Set(kept).size).toBe(kept.length);
    expect([...kept].sort()).toEqual([...acknowledged].sort());
    expect(kept.length).toBeGreaterThan(100);
    await store.close();
    await server.close();
  });
});
