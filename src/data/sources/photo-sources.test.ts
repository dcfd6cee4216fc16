import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { afterEach, describe, expect, it } from 'vitest';
import { certificate } from '../../../test/support/certificate.ts';
import { objectStore } from '../../../test/support/object-store.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { writeTinyTable } from '../../../test/support/tiny-shop.ts';
import type { IngestConfigInput } from '../../pipelines/ingest/config.ts';
import { ingest } from '../../pipelines/ingest/index.ts';
import { withDuckDB } from '../duckdb/duckdb.ts';
import { type PhotoInput, PhotoTooLarge } from '../photos/photo-file.ts';
import { loadDataset } from '../store.ts';
import { bucketPhotos } from './bucket-photos.ts';
import { downloadedPhoto, isPublic } from './photo-downloads.ts';
import { tarPhotos } from './tar-photos.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The tiny shop, its photos, and a way to ingest it with other sources of them. */
async function tinyShop() {
  const folder = await temporaryFolder();
  const { catalogue, images, log } = await writeTinyTable(folder);
  let runs = 0;
  const pixelsOf = async (changed: Partial<Extract<IngestConfigInput, { source: 'table' }>>) => {
    const out = join(folder, `dataset-${runs++}`);
    await ingest({ source: 'table', log, catalogue, images, side: 8, ...changed, out });
    const dataset = await loadDataset(out);
    const { photo } = dataset.catalogue;
    const pixels = Array.from(photo, (row) => (row < 0 ? null : [...dataset.images.read([row])]));
    dataset.images.close();
    return pixels;
  };
  return { folder, catalogue, images, pixelsOf };
}

async function writeTar(path: string, files: readonly (readonly [name: string, bytes: Buffer])[]) {
  const archive = pack();
  for (const [name, bytes] of files) archive.entry({ name }, bytes);
  archive.finalize();
  await pipeline(archive, createWriteStream(path));
}

async function read(photo: PhotoInput | null): Promise<string> {
  if (photo?.kind !== 'bytes') throw new Error('no bytes');
  return Buffer.from(await photo.read(1000)).toString();
}

describe('photos in tar archives', () => {
  it('give the dataset that a folder gives', async () => {
    const { folder, images, pixelsOf } = await tinyShop();
    const names = await readdir(images);
    const shards = join(folder, 'shards');
    await mkdir(shards);
    for (const shard of [0, 1]) {
      const own = names.filter((_, place) => place % 2 === shard);
      const files: [string, Buffer][] = [];
      for (const name of own) {
        files.push([name, await readFile(join(images, name))]);
        files.push([name.replace('.png', '.json'), Buffer.from('{}')]);
      }
      await writeTar(join(shards, `shard-${shard}.tar`), files);
    }
    const expected = await pixelsOf({});
    expect(await pixelsOf({ images: shards })).toEqual(expected);
    expect(await pixelsOf({ images: join(shards, 'shard-*.tar') })).toEqual(expected);
  });

  it('with long names are read, and a name that two archives have is that of no item', async () => {
    const folder = await temporaryFolder();
    const long = `${'deep/'.repeat(60)}x.jpg`;
    await writeTar(join(folder, 'a.tar'), [
      [long, Buffer.from('long')],
      ['1.jpg', Buffer.from('one')],
    ]);
    await writeTar(join(folder, 'b.tar'), [['1.jpg', Buffer.from('other')]]);
    const photos = await tarPhotos(folder, [join(folder, 'a.tar'), join(folder, 'b.tar')]);
    const place = photos.ofItem('x');
    expect(place.kind === 'found' ? await read(place.photo) : place).toBe('long');
    expect(photos.ofItem('1')).toEqual({ kind: 'shared' });
    const named = photos.named('b/1.jpg');
    expect(named.kind === 'found' ? await read(named.photo) : named).toBe('other');
  });

  it('that are no archives, or end early, are refused by name', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.tar'), 'no archive '.repeat(100));
    await expect(tarPhotos(folder, [join(folder, 'a.tar')])).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('a.tar'),
    });
  });
});

describe('photos in a column', () => {
  it.each(['bytes', 'a structure with bytes', 'base64', 'a data URI'])(
    'as %s give the dataset that a folder gives',
    async (kind) => {
      const { folder, catalogue, images, pixelsOf } = await tinyShop();
      const expected = await pixelsOf({});
      const path = join(folder, 'catalogue.parquet');
      const bytes = `(SELECT content FROM read_blob('${images}/*.png') WHERE parse_filename(filename) = photo)`;
      const column = {
        bytes,
        'a structure with bytes': `{'bytes': ${bytes}, 'path': photo}`,
        base64: `base64(${bytes})`,
        'a data URI': `'data:image/png;base64,' || base64(${bytes})`,
      }[kind];
      await withDuckDB([folder], async (connection) => {
        await connection.run(
          `COPY (SELECT id, ${column} AS photo, title, kind FROM read_csv('${catalogue.path}')) TO '${path}'`,
        );
      });
      const { images: _, ...without } = { images, catalogue: { ...catalogue, path } };
      expect(await pixelsOf({ ...without, images: undefined })).toEqual(expected);
    },
  );

  it('named without a folder to find them in are refused', async () => {
    const { pixelsOf } = await tinyShop();
    await expect(pixelsOf({ images: undefined })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('photo0.png'),
    });
  });
});

describe('photos in an object store', () => {
  it('give the dataset that a folder gives, however many there are', async () => {
    const { folder, images, pixelsOf } = await tinyShop();
    const store = await objectStore(join(folder, 'store'));
    closing.push(store.close);
    for (const name of await readdir(images))
      await store.put(`shop/photos/${name}`, await readFile(join(images, name)));
    const before = { ...process.env };
    Object.assign(process.env, store.environment);
    closing.push(async () => {
      for (const name of Object.keys(store.environment)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    });
    expect(await pixelsOf({ images: `s3://${store.bucket}/shop/photos` })).toEqual(await pixelsOf({}));
    for (let key = 0; key < 25; key++) await store.put(`many/${key}.jpg`, Buffer.from(`${key}`));
    const photos = await bucketPhotos(`s3://${store.bucket}/many`, store.environment, 10);
    expect(photos.names).toHaveLength(25);
    const place = photos.ofItem('24');
    expect(place.kind === 'found' ? await read(place.photo) : place).toBe('24');
  });

  it('that refuses, or of which no keys are known, is told of', async () => {
    const store = await objectStore(await temporaryFolder());
    closing.push(store.close);
    await expect(bucketPhotos('s3://other/x', store.environment)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringContaining('NoSuchBucket'),
    });
    await expect(bucketPhotos('s3://other/x', {})).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('photos behind addresses', () => {
  /** A server for photos.test, which is this machine. */
  async function server(answer: Parameters<typeof createServer>[1]) {
    const asked: string[] = [];
    const running = createServer(certificate, (request, response) => {
      asked.push(request.url ?? '');
      answer?.(request, response);
    });
    await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      running.closeAllConnections();
      await new Promise((resolve) => running.close(resolve));
    });
    const { port } = running.address() as AddressInfo;
    const options = {
      isAllowed: () => true,
      request: { ca: certificate.cert, servername: 'photos.test', host: 'localhost' },
    };
    return { asked, address: `https://localhost:${port}`, options };
  }

  it('are fetched once, and then found in the folder', async () => {
    const folder = await temporaryFolder();
    const { asked, address, options } = await server((_, response) => response.end('photo'));
    for (let time = 0; time < 2; time++)
      expect(await read(downloadedPhoto(`${address}/a.jpg`, folder, options))).toBe('photo');
    expect(asked).toEqual(['/a.jpg']);
  });

  it('are asked for again after a fault of the server, and not after a refusal', async () => {
    const folder = await temporaryFolder();
    let faults = 0;
    const { asked, address, options } = await server((request, response) => {
      response.statusCode = request.url === '/gone' ? 404 : faults++ === 0 ? 503 : 200;
      response.end('photo');
    });
    expect(await read(downloadedPhoto(`${address}/a`, folder, options))).toBe('photo');
    await expect(read(downloadedPhoto(`${address}/gone`, folder, options))).rejects.toThrow('404');
    expect(asked).toEqual(['/a', '/a', '/gone']);
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('that are too large, redirect without end, or lead to plain HTTP are refused', async () => {
    const folder = await temporaryFolder();
    const { address, options } = await server((request, response) => {
      if (request.url === '/large') return response.end(Buffer.alloc(5000));
      const location = request.url === '/plain' ? 'http://localhost/x' : '/again';
      return response.writeHead(302, { location }).end();
    });
    const asked = (path: string) => read(downloadedPhoto(`${address}${path}`, folder, options));
    await expect(asked('/large')).rejects.toBeInstanceOf(PhotoTooLarge);
    await expect(asked('/again')).rejects.toThrow('redirections');
    await expect(asked('/plain')).rejects.toThrow('https://');
  });

  it('of this machine and of private networks are never asked', async () => {
    const folder = await temporaryFolder();
    const { asked, address } = await server((_, response) => response.end('secret'));
    const port = new URL(address).port;
    for (const host of ['localhost', '127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433'])
      await expect(read(downloadedPhoto(`https://${host}:${port}/`, folder))).rejects.toThrow(
        'no public network',
      );
    expect(asked).toEqual([]);
    const inside = [
      '10.1.2.3',
      '169.254.169.254',
      '172.31.0.1',
      '192.168.1.1',
      '100.64.0.1',
      'fd00::1',
      'fe80::1',
    ];
    for (const each of inside) expect(isPublic(each)).toBe(false);
    for (const each of ['93.184.215.14', '2606:2800:21f::1']) expect(isPublic(each)).toBe(true);
  });
});
