import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesUntilKilled } from '../../test/support/killed-program.ts';
import { exportOf, servedShop } from '../../test/support/served-shop.ts';
import { Random } from '../random.ts';
import { decodeContent } from './events.ts';
import { openStateStore } from './open-store.ts';
import { openService } from './service.ts';

const program = fileURLToPath(new URL('../../test/support/record-program.ts', import.meta.url));
/** The clock of events that the program makes up. */
const clock = () => 1_900_000_000_000;

describe('a service that is killed while it records', () => {
  let folder: string;
  let served: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    ({ served } = await exportOf(await servedShop(folder), { name: 'none', features: 'none' }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('loses no event that it acknowledged, and counts none twice that is sent again', async () => {
    const state = join(folder, 'killed', 'state.mdb');
    const random = Random.seeded(1, 'kills');
    const acknowledged = new Set<string>();
    for (let kill = 0; kill < 6; kill++) {
      // It begins before where it was: what it had sent and not heard of is sent again.
      const words = [served, state, `${20 * kill}`];
      // The first line says that it is open.
      const [, ...ids] = await linesUntilKilled(program, words, 80 + random.integer(40));
      for (const id of ids) acknowledged.add(id);
    }
    const store = await openStateStore(state);
    const kept = await store.read(0, 10_000_000);
    const ids = kept.map(({ id }) => id.replace('event:', ''));
    expect(new Set(ids).size).toBe(ids.length);
    expect([...acknowledged].filter((id) => !ids.includes(id))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(100);
    // What the counters say is what they say of the same events recorded once each, without any kill.
    const events = kept.map(({ content }, place) => {
      const is = decodeContent(content)?.is;
      if (is?.kind !== 'click' && is?.kind !== 'exposure') throw new Error('no event');
      return { id: ids[place]!, ...is };
    });
    await store.close();
    const again = await openService({ export: served, state, clock });
    const single = await openService({ export: served, state: join(folder, 'once.mdb'), clock });
    for (const event of events) await single.record([event]);
    const candidates = Array.from({ length: 7 }, (_, item) => `new item ${item}`);
    for (const user of ['new user 0', 'new user 3', 'nobody']) {
      const [one, other] = [
        await again.features({ user, candidates, time: 1_850_000_000_000 }),
        await single.features({ user, candidates, time: 1_850_000_000_000 }),
      ];
      expect(one).toEqual(other);
    }
    await again.close();
    await single.close();
  });
});
