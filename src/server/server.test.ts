import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { certificate } from '../../test/support/certificate.ts';
import { json, runningServer } from '../../test/support/running-server.ts';
import { exportOf, type ServedShop, servedShop } from '../../test/support/served-shop.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { readEmbeddings } from '../data/embeddings/embeddings.ts';
import { openService } from '../serving/service.ts';
import { parseJson } from '../storage/json.ts';
import { ServerError } from './client.ts';
import { endpoints } from './endpoints.ts';

/** A bitmap that says it has 3.6 thousand million pixels. */
function bomb(): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write('BM');
  bytes.writeInt32LE(60_000, 18);
  bytes.writeInt32LE(60_000, 22);
  return bytes;
}

describe('a server', () => {
  let folder: string;
  let shop: ServedShop;
  let served: string;
  let items: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    shop = await servedShop(folder);
    ({ served } = await exportOf(shop, { name: 'http' }));
    items = (await readEmbeddings(shop.embeddings)).ids;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The photo of an item of the shop. */
  async function photoOf(item: string): Promise<Buffer> {
    const images = join(folder, 'shop', 'images');
    const name = (await readdir(images)).find((file) => file.startsWith(`${item}.`));
    return readFile(join(images, name ?? ''));
  }

  it('scores, embeds and finds as the service itself does, to the last bit', async () => {
    const { client } = await runningServer({ export: served });
    const state = join(await temporaryFolder(), 'state.mdb');
    const service = await openService({ export: served, state, window: 0 });
    onTestFinished(() => service.close());
    const item = fc.constantFrom(...items, 'never there');
    const requests = fc.record(
      {
        user: fc.constantFrom(null, 'u1', 'u2', 'nobody'),
        history: fc.array(item, { maxLength: 5 }),
        candidates: fc.array(item, { minLength: 1, maxLength: 8 }),
        price: fc.double({ min: 0, max: 100, noNaN: true }),
      },
      { requiredKeys: ['candidates'] },
    );
    // In order: a page view is described no earlier than the one before.
    let time = service.statistics().export.until;
    const property = fc.asyncProperty(requests, async ({ price, ...request }) => {
      time += 1;
      const { candidates } = request;
      const gaps = candidates.map((_, place) => (place % 2 === 0 && price !== undefined ? price : null));
      const found = await client.score({ ...request, time, numeric: { price: gaps } });
      const numbers = gaps.map((value) => value ?? Number.NaN);
      const wanted = await service.score({ ...request, time, numeric: { price: numbers } });
      expect(found).toEqual({
        scores: Array.from(wanted.scores),
        calibrated: Array.from(wanted.calibrated),
        known: Array.from(wanted.known, (each) => each === 1),
        time,
      });
    });
    await fc.assert(property, { numRuns: 40 });
    const [own = ''] = items;
    const photo = await photoOf(own);
    const embedding = Array.from(await service.embed({ photo }));
    expect(await client.embed({ item: own })).toEqual(Array.from(await service.embed({ item: own })));
    expect(await client.embed(photo)).toEqual(embedding);
    expect(await client.embed({ photo: photo.toString('base64') })).toEqual(embedding);
    const wanted = await service.similar({ embedding: Float32Array.from(embedding), most: 7 });
    const columns = {
      items: wanted.map((each) => each.item),
      cosines: wanted.map(({ cosine }) => cosine),
    };
    expect(await client.similar(photo, { most: 7 })).toEqual(columns);
    expect(await client.similar({ embedding, most: 7 })).toEqual(columns);
    const alike = await client.similar({ item: own });
    expect(alike.items).toEqual((await service.similar({ item: own })).map((each) => each.item));
  });

  it('has new items in scores and neighbours as soon as they are acknowledged, until they are deleted', async () => {
    const { client } = await runningServer({ export: served });
    const [twin = ''] = items;
    const id = 'söme/new item?';
    await client.putItem(id, { numeric: { price: 12 }, photo: (await photoOf(twin)).toString('base64') });
    expect((await client.score({ candidates: [id] })).known).toEqual([true]);
    const { items: found, cosines } = await client.similar({ item: id }, { most: 1 });
    expect([found, cosines[0]]).toEqual([[twin], expect.closeTo(1, 5)]);
    await client.deleteItem(id);
    expect((await client.score({ candidates: [id] })).known).toEqual([false]);
    await expect(client.deleteItem(id)).rejects.toMatchObject({ status: 404, code: 'ITEM_UNKNOWN' });
    await expect(client.similar({ item: id })).rejects.toMatchObject({ status: 404 });
  });

  it('counts an event once by its id', async () => {
    const { client } = await runningServer({ export: served });
    const [item = ''] = items;
    const click = { id: 'c', kind: 'click', user: 'u1', item, time: Date.now() } as const;
    expect(await client.record([click, { ...click, kind: 'exposure', id: 'e' }])).toMatchObject({
      recorded: 2,
    });
    expect(await client.record([click])).toMatchObject({ recorded: 0, known: 1 });
    await expect(
      client.record([{ id: 'o', kind: 'order', user: 'u1', time: Date.now(), revenue: 3 }]),
    ).rejects.toThrow('keeps no orders');
  });

  it('is described by a valid OpenAPI document, whose page loads nothing from elsewhere', async () => {
    const { ask } = await runningServer({ export: served });
    const { text } = await ask('/docs/json');
    const document = JSON.parse(text);
    expect(await new Validator().validate(document)).toMatchObject({ valid: true });
    for (const { method, path } of Object.values(endpoints))
      expect(document.paths[path.replace(/:(\w+)/, '{$1}')]).toHaveProperty(method.toLowerCase());
    const page = await ask('/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'.*script-src 'self';/);
    const loaded = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
    expect(loaded.length).toBeGreaterThan(4);
    for (const address of loaded) expect(await ask(address)).toMatchObject({ status: 200 });
  });

  const image = { 'content-type': 'image/png' };
  const refusals: [name: string, path: string, request: RequestInit, status: number, code: string][] = [
    ['what is nowhere', '/v1/nothing', {}, 404, 'NOT_FOUND'],
    ['another method', '/v1/score', {}, 404, 'NOT_FOUND'],
    ['no JSON', '/v1/score', json('{"candidates":'), 400, 'VALUE_INVALID'],
    ['no body', '/v1/score', { method: 'POST' }, 400, 'VALUE_INVALID'],
    ['no candidates', '/v1/score', json({ candidates: [] }), 400, 'VALUE_INVALID'],
    ['a misspelt key', '/v1/score', json({ candidates: ['a'], usr: 'b' }), 400, 'VALUE_INVALID'],
    ['a number as text', '/v1/score', json({ candidates: ['a'], time: '5' }), 400, 'VALUE_INVALID'],
    ['a poisoned object', '/v1/score', json('{"candidates":["a"],"__proto__":{}}'), 400, 'VALUE_INVALID'],
    ['an unknown column', '/v1/score', json({ candidates: ['a'], context: { x: '' } }), 400, 'VALUE_INVALID'],
    ['the day after tomorrow', '/v1/score', json({ candidates: ['a'], time: 1e14 }), 400, 'VALUE_INVALID'],
    [
      'attention that there is not',
      '/v1/score',
      json({ candidates: ['a'], attention: true }),
      400,
      'VALUE_INVALID',
    ],
    [
      'text',
      '/v1/events',
      { ...json('x'), headers: { 'content-type': 'text/plain' } },
      415,
      'CONTENT_TYPE_UNKNOWN',
    ],
    ['a photo as an event', '/v1/events', { ...json('x'), headers: image }, 415, 'CONTENT_TYPE_UNKNOWN'],
    ['a large body', '/v1/score', json(' '.repeat(5 * 1024 * 1024)), 413, 'LIMIT_EXCEEDED'],
    ['no photo', '/v1/embed', { method: 'POST' }, 400, 'VALUE_INVALID'],
    ['a photo of nothing', '/v1/embed', { ...json('nothing'), headers: image }, 400, 'VALUE_INVALID'],
    ['a bomb', '/v1/embed', { method: 'POST', body: bomb(), headers: image }, 400, 'VALUE_INVALID'],
    ['a bomb as text', '/v1/similar', json({ photo: bomb().toString('base64') }), 400, 'VALUE_INVALID'],
    ['no base64', '/v1/embed', json({ photo: 'a*b!' }), 400, 'VALUE_INVALID'],
    ['a private address', '/v1/embed', json({ url: 'https://10.0.0.1/a.png' }), 422, 'PHOTO_UNREACHABLE'],
    ['this machine', '/v1/similar', json({ url: 'https://localhost/a.png' }), 422, 'PHOTO_UNREACHABLE'],
    ['plain http', '/v1/embed', json({ url: 'http://example.com/a.png' }), 422, 'PHOTO_UNREACHABLE'],
    ['an unknown item', '/v1/similar/nowhere', {}, 404, 'ITEM_UNKNOWN'],
    ['too many neighbours', '/v1/similar/a?most=5000', {}, 400, 'VALUE_INVALID'],
    [
      'a deadline that is none',
      '/v1/score',
      json({ candidates: ['a'] }, { 'x-deadline-ms': 'soon' }),
      400,
      'VALUE_INVALID',
    ],
    [
      'a deadline that has passed',
      '/v1/score',
      json({ candidates: ['a'] }, { 'x-deadline-ms': '1e-9' }),
      504,
      'DEADLINE_EXCEEDED',
    ],
    [
      'an event of the last day',
      '/v1/events',
      json({ events: [{ id: 'o', kind: 'click', user: 'u', item: 'a', time: 8.64e15 }] }),
      400,
      'VALUE_INVALID',
    ],
    ['an export without a root', '/v1/exports', json({ export: 'other' }), 400, 'VALUE_INVALID'],
  ];
  it('sends the headers that protect a browser with answers and with refusals', async () => {
    const { ask } = await runningServer({ export: served });
    for (const path of ['/healthz', '/metrics', '/nowhere', '/v1/similar/nothing']) {
      const { headers } = await ask(path);
      expect([path, headers.get('content-security-policy'), headers.get('x-content-type-options')]).toEqual([
        path,
        "default-src 'none';frame-ancestors 'none'",
        'nosniff',
      ]);
    }
  });

  it('refuses what cannot be answered in one shape, with a code and a remedy', async () => {
    const { ask, log } = await runningServer({ export: served });
    for (const [name, path, request, status, code] of refusals) {
      const answer = await ask(path, request);
      const id = answer.headers.get('x-request-id');
      expect([name, answer.status, parseJson(answer.text)]).toEqual([
        name,
        status,
        { error: { code, message: expect.any(String), remedy: expect.any(String), id } },
      ]);
      expect(answer.text).not.toContain(folder);
      expect(log.at(-1)).toContain(id);
    }
  });

  it('takes photos from public addresses, and none that turns out to be of another network', async () => {
    const photo = await photoOf(items[3] ?? '');
    const shops = createServer(certificate, (request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: 'https://192.168.0.1/a.png' }).end();
      else if (request.url === '/nowhere') response.writeHead(302, { location: 'https://[' }).end();
      else response.end(photo);
    });
    await new Promise<void>((resolve) => shops.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void shops.close());
    const address = shops.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const download = {
      isAllowed: (each: string) => each === '127.0.0.1',
      request: { ca: certificate.cert, servername: 'photos.test' },
    };
    const { client } = await runningServer({ export: served }, { download });
    const url = `https://127.0.0.1:${port}`;
    expect(await client.embed({ url: `${url}/photo` })).toEqual(await client.embed(photo));
    for (const path of ['moved', 'nowhere'])
      await expect(client.embed({ url: `${url}/${path}` })).rejects.toMatchObject({
        code: 'PHOTO_UNREACHABLE',
      });
    await client.putItem('fetched', { url: `${url}/photo` });
    expect((await client.similar({ item: 'fetched' }, { most: 1 })).items).toEqual([items[3]]);
  });

  it('names no user in its log, unless it is asked to', async () => {
    for (const logUsers of [false, true]) {
      const { client, log } = await runningServer({ export: served, logUsers });
      await client.score({ user: 'somebody', candidates: ['a'] });
      await expect(client.score({ user: 'somebody', candidates: [] })).rejects.toThrow(ServerError);
      expect(log.join('').includes('somebody')).toBe(logUsers);
      expect(log.join('')).toMatch(/"user":"\w+"/);
    }
  });

  it('tells what it does and how far it is from what was measured in the words of Prometheus', async () => {
    const { ask, client } = await runningServer({ export: served });
    await client.score({ candidates: items.slice(0, 3) });
    const { text } = await ask('/metrics');
    expect(text).toContain('courier_candidates_total{arm=""} 3\n');
    expect(text).toMatch(/courier_drift_scores\{arm=""\} [\d.]+\n/);
    expect(text).toMatch(/courier_http_request_seconds_count\{[^}]*route="\/v1\/score"[^}]*\} 1\n/);
  });
});
