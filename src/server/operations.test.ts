import { cp, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ended, startCourier } from '../../test/support/program.ts';
import { runningServer } from '../../test/support/running-server.ts';
import { exportOf, type ServedShop, servedShop } from '../../test/support/served-shop.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { readEmbeddings } from '../data/embeddings/embeddings.ts';
import { armOf } from '../experiments/assignment.ts';
import { parseExperiment } from '../experiments/definition.ts';
import { experimentReport } from '../pipelines/experiment/index.ts';
import { CourierClient } from './client.ts';
import { createKey, revokeKey } from './keys.ts';
import { startServer } from './server.ts';

const waiting = { timeout: 60_000, interval: 50 };

const photoBytes = 20 * 1024 * 1024;

describe('a server in operation', () => {
  let folder: string;
  let exports: string;
  let items: string[];
  const named = (name: string) => join(exports, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    exports = join(folder, 'exports');
    const shop: ServedShop = await servedShop(folder);
    await mkdir(exports);
    for (const [name, features] of [
      ['images', 'sim-score+cluster-id'],
      ['none', 'none'],
    ] as const)
      await cp((await exportOf(shop, { name, features })).served, named(name), { recursive: true });
    await cp(named('images'), named('damaged'), { recursive: true });
    await truncate(join(named('damaged'), 'table.safetensors'), 1000);
    items = [...(await readEmbeddings(shop.embeddings)).ids];
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('lets a key do what its scopes say, and knows at once when it is revoked', async () => {
    const keys = join(await temporaryFolder(), 'keys.json');
    const reader = await createKey(keys, { name: 'reader', scopes: ['read'] });
    const writer = await createKey(keys, { name: 'writer', scopes: ['write'] });
    const { server, ask, log } = await runningServer({ export: named('images'), keys });
    const as = (key: string) => new CourierClient({ url: server.url, key });
    const [item = ''] = items;
    const refused = (code: string) => ({ code, status: code === 'KEY_MISSING' ? 401 : 403 });
    await expect(as('courier_guess').score({ candidates: [item] })).rejects.toMatchObject(
      refused('KEY_MISSING'),
    );
    expect((await ask('/metrics')).headers.get('www-authenticate')).toBe('Bearer');
    expect((await as(reader).score({ candidates: [item] })).scores).toHaveLength(1);
    await expect(as(reader).deleteItem(item)).rejects.toMatchObject(refused('SCOPE_MISSING'));
    await as(writer).deleteItem(item);
    await expect(as(writer).score({ candidates: [item] })).rejects.toMatchObject(refused('SCOPE_MISSING'));
    await expect(as(writer).openExport({ export: 'none' })).rejects.toMatchObject(refused('SCOPE_MISSING'));
    expect((await ask('/healthz')).status).toBe(200);
    await revokeKey(keys, 'reader');
    await server.reload();
    await expect(as(reader).score({ candidates: [item] })).rejects.toMatchObject(refused('KEY_MISSING'));
    // What cannot be read changes nothing.
    await writeFile(keys, '{');
    await server.reload();
    await as(writer).record([{ id: 'a', kind: 'click', user: 'u', item, time: Date.now() }]);
    expect(log.join('')).toContain('keys cannot be read');
    expect(log.join('')).not.toMatch(new RegExp([reader, writer].join('|')));
  });

  it('is not opened to other machines without keys, and on this one answers to its address alone', async () => {
    const settings = { export: named('images'), state: 'never.mdb', host: '0.0.0.0' };
    await expect(startServer(settings)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('courier key create'),
    });
    const { server } = await runningServer({ export: named('images') });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${server.url}/healthz`, { headers: { host: 'rebound.example' } }, ({ statusCode }) =>
        resolve(statusCode),
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it('takes so many requests a minute, of each key', async () => {
    const keys = join(await temporaryFolder(), 'keys.json');
    const [one, other] = [
      await createKey(keys, { name: 'one', scopes: ['read'] }),
      await createKey(keys, { name: 'other', scopes: ['read'] }),
    ];
    const { server } = await runningServer({ export: named('images'), keys, rateLimit: 2 });
    const [first, second] = [one, other].map((key) => new CourierClient({ url: server.url, key }));
    for (let times = 0; times < 2; times++) await first?.score({ candidates: ['a'] });
    await expect(first?.score({ candidates: ['a'] })).rejects.toMatchObject({
      status: 429,
      code: 'RATE_LIMITED',
      retryAfter: expect.any(Number),
    });
    expect((await second?.score({ candidates: ['a'] }))?.scores).toHaveLength(1);
    const unknown = new CourierClient({ url: server.url, key: 'courier_guess' });
    for (const status of [401, 401, 429])
      await expect(unknown.score({ candidates: ['a'] })).rejects.toMatchObject({ status });
  });

  it('tells whom to come again before memory grows: candidates that wait, and bodies that are sent', async () => {
    const { server, client } = await runningServer({
      ...{
        export: named('images'),
        window: 2000,
        deadline: 60_000,
        queueRows: 60,
        bodyBytes: 32 * 1024 * 1024,
      },
    });
    const asking = Promise.allSettled(
      Array.from({ length: 10 }, () => client.score({ candidates: items.slice(0, 30) })),
    );
    // Who is not read cannot be told what is wrong with it.
    const unreadable = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' };
    const statusOf = async () => (await fetch(`${server.url}/v1/score`, unreadable)).status;
    await vi.waitFor(async () => expect(await statusOf()).toBe(503));
    const asked = await asking;
    expect(await statusOf()).toBe(400);
    const refused = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused).toHaveLength(8);
    expect(refused[0]).toMatchObject({ status: 503, code: 'OVERLOADED', retryAfter: expect.any(Number) });
    // Two photos that never come to their end: there is no room for the second.
    const sending = () => {
      const headers = { 'content-type': 'image/png', 'content-length': photoBytes };
      const sent = request(`${server.url}/v1/embed`, { method: 'POST', headers });
      sent.on('error', () => {}).write(Buffer.alloc(1000));
      onTestFinished(() => void sent.destroy());
      return new Promise<number | undefined>((resolve) => {
        sent.on('response', ({ statusCode }) => resolve(statusCode));
      });
    };
    const first = sending();
    await vi.waitFor(async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toContain(`courier_http_body_bytes{arm=""} ${photoBytes}\n`);
    }, waiting);
    expect(await sending()).toBe(503);
    expect(await Promise.race([first, Promise.resolve('waits')])).toBe('waits');
    expect((await client.score({ candidates: ['a'] })).scores).toHaveLength(1);
  });

  it('answers within the deadline, or says that it did not', async () => {
    const { client } = await runningServer({ export: named('images'), window: 5000 });
    const request = { candidates: items.slice(0, 2) };
    await expect(client.score(request, { deadline: 50 })).rejects.toMatchObject({
      status: 504,
      code: 'DEADLINE_EXCEEDED',
    });
  });

  it('swaps exports under load without a failed request, and keeps the old one where the new is damaged', async () => {
    const link = join(folder, 'current');
    await symlink(named('images'), link);
    const { server, client, log } = await runningServer({ export: link, exports });
    let isOver = false;
    let answered = 0;
    const asking = Array.from({ length: 2 }, async () => {
      while (!isOver) {
        expect((await client.score({ user: 'u1', candidates: items })).scores).toHaveLength(60);
        answered++;
      }
    });
    expect(await client.openExport({ export: 'none' })).toMatchObject({ export: 'none', features: null });
    await expect(client.openExport({ export: 'damaged' })).rejects.toMatchObject({
      status: 422,
      code: 'EXPORT_REFUSED',
      message: expect.not.stringContaining(folder),
    });
    expect(await client.openExport({ export: 'images' })).toMatchObject({ features: 'sim-score+cluster-id' });
    await rm(link);
    await symlink(named('none'), link);
    await server.reload();
    isOver = true;
    await Promise.all(asking);
    expect(answered).toBeGreaterThan(2);
    expect(log.join('')).toContain('table.safetensors');
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('courier_swaps_total{arm=""} 3\n');
    for (const name of ['../current', '/etc', 'nowhere', '.'])
      await expect(client.openExport({ export: name })).rejects.toMatchObject({ status: 400 });
  });

  it('that is stopped says so, answers what was asked, and takes no more', async () => {
    const { server, client, ask } = await runningServer({
      export: named('images'),
      window: 3000,
      deadline: 60_000,
      drain: 200,
    });
    const asked = Array.from({ length: 8 }, () => client.score({ candidates: items.slice(0, 5) }));
    await vi.waitFor(async () => {
      expect((await ask('/metrics')).text).toContain('courier_queued_rows{arm=""} 40\n');
    }, waiting);
    const closed = server.close();
    expect(await ask('/readyz')).toMatchObject({ status: 503 });
    expect((await ask('/healthz')).status).toBe(200);
    for (const { scores } of await Promise.all(asked)) expect(scores).toHaveLength(5);
    await closed;
    await expect(client.health()).rejects.toThrow();
  });

  it('started by its command follows a link again on SIGHUP, and ends with 0 on SIGTERM', async () => {
    const own = await temporaryFolder();
    const link = join(own, 'current');
    await symlink(named('images'), link);
    const words = ['--export', link, '--state', join(own, 'state.mdb'), '--port', '0'];
    const child = startCourier(['serve', ...words], own);
    const end = ended(child);
    let said = '';
    child.stderr?.on('data', (text: string) => {
      said += text;
    });
    const [, url = ''] = await vi.waitFor(() => /(http:[^"]+)"/.exec(said) ?? Promise.reject(), waiting);
    const client = new CourierClient({ url });
    expect((await client.score({ candidates: items.slice(0, 2) })).scores).toHaveLength(2);
    await rm(link);
    await symlink(named('none'), link);
    child.kill('SIGHUP');
    await vi.waitFor(() => expect(said).toContain('export opened'), waiting);
    await expect(client.health()).resolves.toEqual({ status: 'ok' });
    child.kill('SIGTERM');
    expect((await end).code).toBe(0);
    expect(said).toContain('"msg":"stopped"');
  });

  it('answers users by the arms of an experiment, and keeps what the report reads', async () => {
    const now = Date.now();
    const definition = {
      ...{ name: 'photos', salt: 'photos-1', start: new Date(now - 3_600_000).toISOString(), plannedDays: 7 },
      arms: [
        { name: 'control', share: 0.5, serves: { images: false } },
        { name: 'plain', share: 0.5, serves: { export: named('none') } },
      ],
    };
    const experiment = parseExperiment(definition);
    const path = join(folder, 'experiment.json');
    await writeFile(path, JSON.stringify(definition));
    const outcomes = join(folder, 'outcomes');
    const settings = { export: named('images'), experiment: path, outcomes };
    const { client } = await runningServer(settings);
    const { client: plain } = await runningServer({ export: named('none') });
    const users = Array.from({ length: 12 }, (_, place) => `user ${place}`);
    const request = { candidates: items.slice(0, 4), history: items.slice(4, 8), time: now };
    await client.record(
      users.map((user) => ({ id: `e ${user}`, kind: 'exposure', user, item: items[0] ?? '', time: now })),
    );
    await client.record([
      ...users.map(
        (user) => ({ id: `c ${user}`, kind: 'click', user, item: items[0] ?? '', time: now }) as const,
      ),
      ...users.map((user) => ({ id: `o ${user}`, kind: 'order', user, revenue: 2, time: now }) as const),
      { id: `o ${users[0]}`, kind: 'order', user: users[0] ?? '', revenue: 2, time: now },
    ]);
    const arms = new Set<string | undefined>();
    for (const user of users) {
      const { arm, experiment: name, scores } = await client.score({ ...request, user });
      arms.add(arm);
      expect([arm, name]).toEqual([armOf(experiment, user, now)?.name, 'photos']);
      const others = await plain.score({ ...request, user });
      if (arm === 'plain') expect(others.scores).toHaveLength(scores.length);
    }
    expect(arms).toEqual(new Set(['control', 'plain']));
    // Nobody in particular is in no arm, and sees images.
    const [of, without] = [
      await client.score(request),
      await client.score({ ...request, user: userOf('control') }),
    ];
    expect(of.arm).toBeUndefined();
    expect(without.scores).not.toEqual(of.scores);
    const { report } = await experimentReport({
      definition: path,
      exposures: { path: join(outcomes, 'exposures'), event: 'event', experiment: 'experiment' },
      clicks: { path: join(outcomes, 'clicks'), event: 'event' },
      orders: { path: join(outcomes, 'orders'), event: 'event' },
      out: join(folder, 'report'),
    });
    const counted = users.map((user) => armOf(experiment, user, now)?.name);
    expect(report.arms.map(({ name, users }) => [name, users])).toEqual(
      ['control', 'plain'].map((name) => [name, counted.filter((each) => each === name).length]),
    );

    function userOf(arm: string): string {
      return users.find((user) => armOf(experiment, user, now)?.name === arm) ?? '';
    }
  });

  it('refuses an arm that serves something else, and an experiment of which nothing would be known', async () => {
    const path = join(folder, 'other.json');
    const arms = [
      { name: 'a', share: 0.5, serves: { exports: 'x' } },
      { name: 'b', share: 0.5 },
    ];
    await writeFile(path, JSON.stringify({ name: 'n', salt: 's', start: '2026-01-01', arms }));
    const settings = { export: named('images'), state: join(folder, 'arms.mdb'), experiment: path };
    await expect(startServer(settings)).rejects.toMatchObject({
      message: expect.stringContaining('outcomes'),
    });
    await expect(startServer({ ...settings, outcomes: join(folder, 'o') })).rejects.toMatchObject({
      message: expect.stringContaining('arm a'),
    });
  });
});
