import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, runningServer } from '../../test/support/running-server.ts';
import { exportOf, servedShop } from '../../test/support/served-shop.ts';
import { parseJson } from '../storage/json.ts';
import { endpoints } from './endpoints.ts';
import { statusOf } from './problems.ts';
import { problemAnswer } from './schemas.ts';

/** Text of any code points, halves of them, what trims to nothing, and names that objects have already. */
const oddText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)) }),
  fc.constantFrom('', ' ', '\u0000', '\u200b', '__proto__', 'constructor', 'i00001', 'ﷺ'.repeat(400)),
  fc.constantFrom('../../etc/passwd', 'a'.repeat(1001), '💥', 'e\u0301', '\u202eabc', '\ufeff'),
);

const oddNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(1e308, -1e308, 1e39, 5e-324, -0, 2 ** 53, 8.64e15, 8.64e15 + 1, -1),
);

const oddValue = fc.oneof(oddText, oddNumber, fc.jsonValue(), fc.constantFrom(null, true, [], {}));

/** Right more often than not, so that what is odd gets as far as it can. */
function mostly(right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: oddValue });
}

const item = fc.oneof(fc.constantFrom('i00001', 'i00002'), oddText);
const event = fc.record(
  {
    id: mostly(oddText),
    kind: mostly(fc.constantFrom('click', 'exposure', 'order')),
    user: mostly(oddText),
    item: mostly(item),
    time: mostly(fc.constantFrom(1.7e12, 0, Date.now())),
    revenue: oddNumber,
  },
  { requiredKeys: [] },
);
const bodies = fc.oneof(
  fc.record(
    {
      user: mostly(oddText),
      history: mostly(fc.array(item)),
      candidates: mostly(fc.array(item, { minLength: 1 })),
      time: mostly(oddNumber),
      context: oddValue,
      numeric: mostly(fc.dictionary(fc.constantFrom('price', 'other'), fc.array(oddNumber))),
      attention: oddValue,
    },
    { requiredKeys: ['candidates'] },
  ),
  fc.record({ events: mostly(fc.array(mostly(event))) }),
  fc.record(
    {
      categories: mostly(fc.dictionary(oddText, oddText)),
      numeric: mostly(fc.dictionary(oddText, oddNumber)),
    },
    { requiredKeys: [] },
  ),
  fc.record({ photo: mostly(fc.base64String()) }),
  fc.record({ url: mostly(fc.constantFrom('https://127.0.0.1/', 'https://[::1]/', 'https://', 'file:///')) }),
  fc.record({ item }),
  fc.record({ embedding: mostly(fc.array(oddNumber)), most: oddValue }, { requiredKeys: ['embedding'] }),
  fc.record({ export: mostly(oddText) }),
  oddValue,
);

const text = fc.oneof(
  { weight: 5, arbitrary: bodies.map((body) => JSON.stringify(body)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.constantFrom('{"candidates":["a"],"candidates":1e999}', '[[[[', '{"a":') },
);

/** An address of an endpoint, with anything for its parameter, escaped or not, and any query. */
const address = fc
  .tuple(
    fc.constantFrom(...Object.values(endpoints), { method: 'GET', path: '/metrics' } as const),
    fc.oneof(
      item.map((name) => encodeURIComponent(Buffer.from(name).toString())),
      fc.constantFrom('%ED%A0%80', '%', '%00', '%2e%2e%2f', '%F0%9F'),
    ),
    fc.oneof(
      fc.constant(''),
      fc.webQueryParameters().map((query) => `?${query}`),
      fc.constant('?most=1e3'),
    ),
  )
  .map(([{ method, path }, name, query]) => ({ method, path: path.replace(':item', name) + query }));

const request = fc.record({
  address,
  otherMethod: fc.option(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'), { freq: 8 }),
  text,
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constant('application/json') },
    { weight: 2, arbitrary: fc.constantFrom('image/jpeg', 'text/plain', 'a', 'application/json; charset=x') },
  ),
  headers: fc.dictionary(
    fc.constantFrom('x-deadline-ms', 'authorization', 'x-request-id', 'accept', 'x-forwarded-for', 'origin'),
    fc.oneof(fc.string(), fc.constantFrom('0', '1e9', 'NaN', 'Bearer ', '-1')).map((value) => value.trim()),
  ),
});

describe('a server that is asked with ill will', () => {
  let folder: string;
  let served: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    ({ served } = await exportOf(await servedShop(folder), { name: 'hostile' }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function expectProblem(status: number, id: string | null, answer: string): void {
    const { error } = problemAnswer.parse(parseJson(answer));
    expect([status, error.id]).toEqual([statusOf[error.code], id]);
    expect(error.code).not.toBe('INTERNAL');
    expect(answer).not.toContain(folder);
  }

  async function expectAlive({ client }: RunningServer): Promise<void> {
    expect(await client.health()).toEqual({ status: 'ok' });
    expect((await client.score({ candidates: ['i00001'] })).scores).toHaveLength(1);
  }

  it('answers any request, or says in the one shape what is wrong with it, and never that it failed itself', async () => {
    const running = await runningServer({ export: served, exports: folder, logLevel: 'error' });
    const property = fc.asyncProperty(request, async (asked) => {
      const method = asked.otherMethod ?? asked.address.method;
      const hasBody = method !== 'GET';
      const {
        status,
        headers,
        text: answer,
      } = await running.ask(asked.address.path, {
        method,
        headers: { ...asked.headers, ...(hasBody ? { 'content-type': asked.type } : {}) },
        ...(hasBody ? { body: asked.text } : {}),
      });
      if (status >= 400) expectProblem(status, headers.get('x-request-id'), answer);
    });
    await fc.assert(property, { numRuns: 250 });
    expect(running.log).toEqual([]);
    await expectAlive(running);
  });

  it('says the same to what is no HTTP, and goes on', async () => {
    const running = await runningServer({ export: served });
    const { hostname, port } = new URL(running.server.url);
    const exchange = (bytes: Uint8Array) =>
      new Promise<string>((resolve) => {
        let answer = '';
        const socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket.setEncoding('utf8').on('data', (part: string) => {
          answer += part;
        });
        socket.on('error', () => {}).on('close', () => resolve(answer));
      });
    const lines = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      fc
        .tuple(fc.constantFrom('GET', 'POST', 'BREW'), oddText, fc.dictionary(oddText, oddText))
        .map(([method, path, headers]) => {
          const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
          return Buffer.from(`${method} /${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${fields.join('')}\r\n`);
        }),
      fc.constant(Buffer.from(`GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`)),
      fc.constant(Buffer.from('POST /v1/score HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: -1\r\n\r\n')),
    );
    const property = fc.asyncProperty(lines, async (bytes) => {
      const answer = await exchange(bytes);
      if (answer === '') return;
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      const status = Number(head.split(' ')[1]);
      const id = /x-request-id: (\S+)/i.exec(head)?.[1] ?? null;
      if (status >= 400) expectProblem(status, id, body);
    });
    await fc.assert(property, { numRuns: 100 });
    await expectAlive(running);
  });
});
