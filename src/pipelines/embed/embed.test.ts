import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leftoversOf } from '../../../test/support/artefacts.ts';
import { defined } from '../../../test/support/measured.ts';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { courier } from '../../../test/support/terminal.ts';
import { relabelledDataset, tinyDataset } from '../../../test/support/tiny-dataset.ts';
import { readEmbeddings, writeEmbeddings } from '../../data/embeddings/embeddings.ts';
import { readProvenance } from '../../data/embeddings/provenance.ts';
import { loadPhoto } from '../../data/photos/photo-file.ts';
import { exportUntrainedEncoder } from '../../encoders/export.ts';
import { createEncoder } from '../../encoders/index.ts';
import { ExportedEncoder } from '../../encoders/load.ts';
import { Random } from '../../random.ts';
import { Engine } from '../../runtime/engine.ts';
import { exists } from '../../storage/files.ts';
import { embed } from './index.ts';

const bin = fileURLToPath(new URL('../../cli/bin.ts', import.meta.url));
const side = 16;
const photoCount = 60;

describe('embed', () => {
  let folder: string;
  let dataset: string;
  let photos: string;
  let encoder: string;
  let other: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    dataset = await tinyDataset(folder);
    photos = join(folder, 'shop', 'images');
    encoder = await writeEncoder(join(folder, 'encoder.onnx'), 1);
    other = await writeEncoder(join(folder, 'other.onnx'), 2);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function writeEncoder(path: string, seed: number): Promise<string> {
    const config = { side, patch: 4, width: 32, depth: 2, heads: 2, mlpRatio: 2, dimension: 16 } as const;
    const built = createEncoder({ ...config, name: 'vit', head: 'mean' });
    await writeFile(
      path,
      exportUntrainedEncoder(built, Random.seeded(seed, 'parameters')).encode('standard'),
    );
    return path;
  }

  it('writes a matrix with its ids beside, which gives the same embeddings and says the same of where they come from', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    const ran = await embedPhotos(photos, out, '--npy');
    const stem = out.replace('.parquet', '');
    const npy = { vectors: `${stem}.npy`, ids: `${stem}.ids.csv`, provenance: `${stem}.json` };
    expect(ran.json).toMatchObject({ npy });
    const name = `${npy.vectors}:${npy.ids}`;
    expect(await readEmbeddings(name)).toEqual(await readEmbeddings(out));
    expect(await readProvenance(name)).toEqual(await readProvenance(out));
  });

  it('writes smaller forms beside, each of which is what the whole one is read at that size, and takes nothing over from them', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    const ran = await embedPhotos(photos, out, '--sizes', '4,int8,4-int8', '--npy');
    const stem = out.replace('.parquet', '');
    expect(ran.json).toMatchObject({
      sizes: [
        { size: '4', embeddings: `${stem}.4.parquet`, bytes: 16 },
        { size: 'int8', embeddings: `${stem}.int8.parquet`, bytes: 16 },
        { size: '4-int8', npy: { vectors: `${stem}.4-int8.npy` }, bytes: 4 },
      ],
    });
    expect(await readEmbeddings(`${stem}.4.parquet`)).toEqual(await readEmbeddings(`${out}#first=4`));
    const { ids, vectors } = await readEmbeddings(`${stem}.4-int8.npy:${stem}.4-int8.ids.csv`);
    expect(ids).toEqual((await readEmbeddings(out)).ids);
    expect(vectors.length).toBe(4 * ids.length);
    expect(vectors.every((value) => Number.isInteger(value) && Math.abs(value) <= 127)).toBe(true);
    const onto = await embedPhotos(photos, `${stem}.4.parquet`);
    expect(onto.json).toMatchObject({ reused: 0, dimension: 16 });
    const words = ['--photos', photos, '--encoder', encoder, '--out', out, '--sizes', '17'];
    const long = await courier('embed', '--json', ...words);
    expect(long.json).toMatchObject({ error: { code: 'CONFIG_INVALID' } });
  });

  /** A copy of the photos that a test may change. */
  async function ownPhotos(): Promise<string> {
    const own = join(await temporaryFolder(), 'photos');
    await cp(photos, own, { recursive: true });
    return own;
  }

  async function embedPhotos(own: string, out: string, ...more: string[]) {
    const ran = await courier(
      'embed',
      '--json',
      '--photos',
      own,
      '--encoder',
      encoder,
      '--out',
      out,
      ...more,
    );
    expect([ran.exitCode, ran.stderr]).toMatchObject([0, expect.anything()]);
    return ran;
  }

  it('of a folder gives what embedding its photos one by one gives', async () => {
    const out = join(await temporaryFolder(), 'new', 'folder', 'e.parquet');
    const ran = await embedPhotos(photos, out);
    expect(ran.json).toMatchObject({
      items: photoCount,
      encoded: photoCount,
      reused: 0,
      failed: 0,
      dimension: 16,
    });
    const { ids, vectors } = await readEmbeddings(out);
    expect(ids).toEqual([...ids].sort());
    const engine = Engine.start();
    const alone = await ExportedEncoder.open(encoder, side, engine);
    for (const [row, id] of ids.entries()) {
      const photo = await loadPhoto({ kind: 'file', path: join(photos, `${id}.jpg`) }, side, () => false);
      if (photo.kind !== 'pixels') throw new Error('no photo');
      expect([...(await alone.embed(photo.pixels))]).toEqual([...vectors.subarray(row * 16, (row + 1) * 16)]);
    }
    await engine.close();
  });

  it('of a dataset gives the same as of the folder that it was ingested from', async () => {
    const root = await temporaryFolder();
    await embedPhotos(photos, join(root, 'photos.parquet'));
    const result = await embed({ dataset, encoder, out: join(root, 'dataset.parquet') });
    expect(result).toMatchObject({
      items: photoCount,
      encoded: photoCount,
      reused: 0,
      failed: 0,
      findings: [],
    });
    const byId = async (name: string) => {
      const { ids, vectors } = await readEmbeddings(join(root, name));
      return new Map(ids.map((id, row) => [id, [...vectors.subarray(row * 16, (row + 1) * 16)]]));
    };
    expect(await byId('dataset.parquet')).toEqual(await byId('photos.parquet'));
  });

  it('run again encodes nothing; then only what changed or is new, and what is gone drops out', async () => {
    const own = await ownPhotos();
    const root = await temporaryFolder();
    const out = join(root, 'e.parquet');
    await embedPhotos(own, out);
    const before = await readFile(out);
    expect((await embedPhotos(own, out)).json).toMatchObject({ encoded: 0, reused: photoCount });
    expect((await readFile(out)).equals(before)).toBe(true);
    const [first, second, third, fourth] = (await readEmbeddings(out)).ids;
    await rm(join(own, `${first}.jpg`));
    await copyFile(join(own, `${third}.jpg`), join(own, `${second}.jpg`));
    await sharp(join(own, `${fourth}.jpg`))
      .negate()
      .toFile(join(own, 'new.png'));
    await rename(join(own, 'new.png'), join(own, `${fourth}.jpg`));
    await mkdir(join(own, 'more'));
    await sharp(join(own, `${fourth}.jpg`))
      .blur(5)
      .toFile(join(own, 'more', 'new.png'));
    const ran = await embedPhotos(own, out);
    expect(ran.json).toMatchObject({ items: photoCount, encoded: 2, reused: photoCount - 2 });
    const anew = join(root, 'anew.parquet');
    await embedPhotos(own, anew);
    expect((await readFile(out)).equals(await readFile(anew))).toBe(true);
    expect((await readEmbeddings(out)).ids).toContain('more/new');
    expect((await readEmbeddings(out)).ids).not.toContain(first);
  });

  it('takes nothing over from another encoder, nor from a file that does not say, and tells so', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    await embed({ photos, encoder: other, out });
    const wanted = join(await temporaryFolder(), 'e.parquet');
    await embed({ photos, encoder, out: wanted });
    const ran = await embedPhotos(photos, out);
    expect(ran.json).toMatchObject({ encoded: photoCount, reused: 0 });
    expect(ran.stderr).toMatch(/another encoder, precision or version/);
    expect((await readFile(out)).equals(await readFile(wanted))).toBe(true);
    await writeEmbeddings(out, await readEmbeddings(out));
    const again = await embedPhotos(photos, out);
    expect([again.json['reused'], again.stderr]).toEqual([0, expect.stringContaining('does not say')]);
  });

  it('counts and names photos that cannot be used, and goes on', async () => {
    const own = await ownPhotos();
    const elsewhere = join(await temporaryFolder(), 'secret.jpg');
    const whole = await readFile(join(own, `${await someId()}.jpg`));
    await copyFile(join(own, `${await someId()}.jpg`), elsewhere);
    await writeFile(join(own, 'cut.jpg'), whole.subarray(0, whole.length - 40));
    await writeFile(join(own, 'text.jpg'), 'no photo');
    await writeFile(join(own, 'huge.png'), hugePng(60_000, 60_000));
    await symlink(elsewhere, join(own, 'link.jpg'));
    await symlink('nowhere', join(own, 'dangling.jpg'));
    const out = join(await temporaryFolder(), 'e.parquet');
    const { json } = await embedPhotos(own, out);
    expect(json).toMatchObject({ items: photoCount, encoded: photoCount, failed: 5 });
    const unreadable = 'Photos unreadable, truncated or too large, left out';
    expect(json['findings']).toEqual(
      expect.arrayContaining([
        {
          what: unreadable,
          count: 3,
          examples: expect.arrayContaining([expect.stringMatching(/^huge.png: .*pixel/i)]),
        },
        { what: 'Photos that are links out of the folder, left out', count: 1, examples: ['link.jpg'] },
        { what: 'Photos missing', count: 1, examples: ['dangling.jpg'] },
      ]),
    );
    expect((await readEmbeddings(out)).ids).not.toContain('link');
  });

  async function someId(): Promise<string> {
    const out = join(folder, 'ids.parquet');
    if (!(await exists(out))) await embed({ photos, encoder, out });
    return (await readEmbeddings(out)).ids[7] ?? '';
  }

  it('refuses no source or two, a folder without photos, and an encoder of another side', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    const empty = await temporaryFolder();
    const refusals = [
      [{}, 'CONFIG_INVALID'],
      [{ dataset, photos }, 'CONFIG_INVALID'],
      [{ photos, precision: 'int8', device: 'webgpu' }, 'CONFIG_INVALID'],
      [{ photos: empty }, 'FILE_NOT_FOUND'],
      [{ photos: join(empty, 'no') }, 'FILE_NOT_FOUND'],
    ] as const;
    for (const [settings, code] of refusals) {
      await expect(embed({ ...settings, encoder, out })).rejects.toMatchObject({ code });
    }
    await writeFile(join(empty, 'a.jpg'), 'no photo');
    await expect(embed({ photos: empty, encoder, out })).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
    });
    for (const path of [out, `${out}.partial`]) expect(await exists(path)).toBe(false);
  });

  it('stopped by Ctrl-C keeps what it has, and goes on from there', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    const stop = new AbortController();
    const stopSoon = (event: { kind: string }) => event.kind === 'advance' && stop.abort();
    await expect(
      embed({ photos, encoder, out }, { progress: stopSoon, signal: stop.signal }),
    ).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    const result = await embed({ photos, encoder, out });
    expect(result.reused).toBeGreaterThanOrEqual(32);
    expect(result.encoded).toBe(photoCount - result.reused);
    expect(await exists(`${out}.partial`)).toBe(false);
  });

  it('killed at any moment and run again, ends with the bytes of an undisturbed run', async () => {
    const root = await temporaryFolder();
    const many = join(root, 'many');
    await mkdir(many);
    for (let photo = 0; photo < 600; photo++) await writeFile(join(many, `${photo}.png`), await noise(photo));
    const whole = join(root, 'whole.parquet');
    await embed({ photos: many, encoder, out: whole });
    const out = join(root, 'e.parquet');
    const words = ['embed', '--photos', many, '--encoder', encoder, '--out', out];
    const start = () => spawn(process.execPath, ['--import', 'tsx', bin, ...words], { stdio: 'ignore' });
    const begun = async () => (await stat(`${out}.partial`).catch(() => ({ size: 0 }))).size;
    // Killed after the first batch, in the midst, and at the end.
    for (const bytes of [1, 20_000, 45_000]) {
      const child = start();
      const ended = once(child, 'exit');
      while (child.exitCode === null && (await begun()) < bytes && !(await exists(out))) await sleep(1);
      await sleep(10 * Math.random());
      child.kill('SIGKILL');
      await ended;
    }
    expect(await once(start(), 'exit')).toEqual([0, null]);
    expect((await readFile(out)).equals(await readFile(whole))).toBe(true);
    expect(await leftoversOf(root)).toEqual([]);
  }, 60_000);

  it('in int8 embeds nearly alike, and tells how nearly, how fast and what becomes of the AUC', async () => {
    const root = await temporaryFolder();
    const out = join(root, 'e.parquet');
    const words = ['embed', '--dataset', dataset, '--encoder', encoder, '--out', out, '--precision', 'int8'];
    const ran = await courier(...words);
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toMatch(/int8 against float32, on 60 photos/);
    const again = await courier(...words, '--json');
    expect(again.json).toMatchObject({ encoded: 0, reused: photoCount });
    const { cosine, speedup, auc, model, photosPerSecond } = (
      await embed({ dataset, encoder, out, precision: 'int8' })
    ).precision!;
    expect(model).toBe(join(root, 'e.int8.onnx'));
    expect(cosine.worst).toBeGreaterThan(0.98);
    expect(cosine.mean).toBeGreaterThanOrEqual(cosine.worst);
    expect(speedup).toBeCloseTo(photosPerSecond.int8 / photosPerSecond.float32, 6);
    const { float32, int8 } = defined(auc ?? undefined);
    expect(Math.abs(int8 - float32)).toBeLessThan(0.05);
    const unclicked = await relabelledDataset(dataset, 'validation', () => 0, join(root, 'unclicked'));
    const unmeasured = await courier(...words.map((word) => (word === dataset ? unclicked : word)));
    expect([unmeasured.exitCode, unmeasured.stdout]).toMatchObject([
      0,
      expect.stringContaining('AUC      – The validation period has no clicks and non-clicks to compare on.'),
    ]);
    const { vectors } = await readEmbeddings(out);
    const plain = join(root, 'plain.parquet');
    await embed({ dataset, encoder, out: plain });
    const exact = (await readEmbeddings(plain)).vectors;
    expect([...vectors]).not.toEqual([...exact]);
    for (const [index, value] of vectors.entries()) expect(Math.abs(value - exact[index]!)).toBeLessThan(0.1);
  });

  it('in int8 stops before it calibrates, too', async () => {
    const out = join(await temporaryFolder(), 'e.parquet');
    const work = embed({ photos, encoder, out, precision: 'int8' }, { signal: AbortSignal.abort() });
    await expect(work).rejects.toThrow('abort');
    expect(await readdir(dirname(out))).toEqual([]);
  });

  it('calibrates anew for another encoder, and leaves a foreign file alone', async () => {
    const root = await temporaryFolder();
    const out = join(root, 'e.parquet');
    const model = join(root, 'e.int8.onnx');
    await embed({ photos, encoder: other, out, precision: 'int8' });
    const before = await readFile(model);
    const result = await embed({ photos, encoder, out, precision: 'int8' });
    expect([result.encoded, result.precision?.auc]).toEqual([photoCount, null]);
    expect((await readFile(model)).equals(before)).toBe(false);
    await writeFile(model, 'mine');
    await expect(embed({ photos, encoder, out, precision: 'int8' })).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    });
    expect(await readFile(model, 'utf8')).toBe('mine');
  });
});

/** A picture of its own for each seed. */
function noise(seed: number) {
  const random = Random.seeded(seed, 'noise');
  const pixels = Buffer.from(Array.from({ length: side * side * 3 }, () => random.integer(256)));
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

/** A PNG that claims to be of this size, and holds nothing. */
function hugePng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', Buffer.alloc(8)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** PNG's checksum, bit by bit (zlib.crc32 is newer than the oldest Node.js that is supported). */
function crc32(bytes: Buffer): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  }
  return (remainder ^ 0xffffffff) >>> 0;
}
