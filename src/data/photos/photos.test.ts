import { copyFile, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary.ts';
import { writePhoto } from '../../../test/support/tiny-shop.ts';
import type { ProgressEvent } from '../../progress.ts';
import { NONE } from '../dataset.ts';
import { Findings } from '../findings.ts';
import { ImageCache } from './image-cache.ts';
import { decodePhotos, type PhotoPlace } from './photos.ts';
import { plainJpegDecoder } from './plain-jpeg.ts';
import type { PhotoForm } from './stored-photo.ts';

const none = { count: 0, index: null };

async function decode(folder: string, names: readonly (string | null)[], side = 4) {
  const findings = new Findings();
  const events: ProgressEvent[] = [];
  const output = join(folder, 'images.bin');
  const inputs = names.map((name) =>
    name === null ? null : ({ kind: 'file', path: join(folder, name) } as const),
  );
  const { photo, count } = await decodePhotos(
    inputs,
    { path: output, side, form: 'pixels', before: none },
    findings,
    { progress: (event) => events.push(event) },
  );
  const found = Object.fromEntries(findings.list().map(({ what, count }) => [what, count]));
  return {
    photo: [...photo],
    count,
    found,
    findings: findings.list(),
    events,
    pixels: await readFile(output),
  };
}

/** A TIFF file of one channel of 32-bit floats from 0 to 1. */
function floatTiff(width: number, height: number): Buffer {
  const values = Float32Array.from({ length: width * height }, (_, at) => at / (width * height));
  const [short, long] = [3, 4];
  const entries: [tag: number, type: number, value: number][] = [
    [256, long, width],
    [257, long, height],
    [258, short, 32],
    [259, short, 1],
    [262, short, 1],
    [273, long, 8 + 2 + 9 * 12 + 4],
    [278, long, height],
    [279, long, values.byteLength],
    [339, short, 3],
  ];
  const header = Buffer.alloc(8 + 2 + entries.length * 12 + 4);
  header.write('II*\0', 'latin1');
  header.writeUInt32LE(8, 4);
  header.writeUInt16LE(entries.length, 8);
  for (const [place, [tag, type, value]] of entries.entries()) {
    const at = 10 + 12 * place;
    header.writeUInt16LE(tag, at);
    header.writeUInt16LE(type, at + 2);
    header.writeUInt32LE(1, at + 4);
    header.writeUInt32LE(value, at + 8);
  }
  return Buffer.concat([header, Buffer.from(values.buffer)]);
}

describe('decoding photos', () => {
  it('keeps proportions, with white bars, and puts transparency on white', async () => {
    const folder = await temporaryFolder();
    const black = { r: 0, g: 0, b: 0 };
    await sharp({ create: { width: 8, height: 4, channels: 3, background: black } }).toFile(
      join(folder, 'wide.png'),
    );
    const clear = { ...black, alpha: 0 };
    await sharp({ create: { width: 4, height: 4, channels: 4, background: clear } }).toFile(
      join(folder, 'clear.png'),
    );
    const { pixels } = await decode(folder, ['wide.png', 'clear.png']);
    const rows = Array.from({ length: 8 }, (_, row) => pixels[row * 12]);
    expect(rows).toEqual([255, 0, 0, 255, 255, 255, 255, 255]);
  });

  it('turns photos upright as their EXIF orientation says, and grey ones into three channels', async () => {
    const folder = await temporaryFolder();
    const left = Buffer.from([0, 255, 0, 255]);
    const grey = sharp(left, { raw: { width: 2, height: 2, channels: 1 } });
    await grey.withMetadata({ orientation: 6 }).png().toFile(join(folder, 'turned.png'));
    const { pixels } = await decode(folder, ['turned.png'], 2);
    expect([...pixels]).toEqual([0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
  });

  it('stores equal files once and counts them', async () => {
    const folder = await temporaryFolder();
    await writePhoto(join(folder, 'a.png'), 1);
    await writePhoto(join(folder, 'b.png'), 2);
    await copyFile(join(folder, 'a.png'), join(folder, 'c.png'));
    const { photo, count, found, pixels } = await decode(folder, ['a.png', 'b.png', 'c.png', null]);
    expect(photo).toEqual([0, 1, 0, NONE]);
    expect(count).toBe(2);
    expect(pixels).toHaveLength(2 * 4 * 4 * 3);
    expect(found).toEqual({
      'Photos with the same content as another, stored once': 1,
      'Items without a photo': 1,
    });
  });

  it('counts what is missing, truncated, no photo, or no file, and goes on', async () => {
    const folder = await temporaryFolder();
    await writePhoto(join(folder, 'good.jpg'), 1, 64);
    const whole = await readFile(join(folder, 'good.jpg'));
    await writeFile(join(folder, 'cut.jpg'), whole.subarray(0, whole.length - 40));
    await writeFile(join(folder, 'text.jpg'), 'no photo');
    await writeFile(join(folder, 'empty.jpg'), '');
    await writeFile(
      join(folder, 'drawing.svg'),
      '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>',
    );
    await mkdir(join(folder, 'folder.jpg'));
    const names = [
      'missing.jpg',
      'cut.jpg',
      'text.jpg',
      'empty.jpg',
      'drawing.svg',
      'folder.jpg',
      'good.jpg',
    ];
    const { photo, found, findings } = await decode(folder, names);
    expect(photo).toEqual([NONE, NONE, NONE, NONE, NONE, NONE, 0]);
    expect(found).toEqual({
      'Photos missing': 1,
      'Photos unreadable, truncated or too large, left out': 4,
      'Photos that are no files, left out': 1,
    });
    expect(findings.flatMap(({ examples }) => examples).join()).not.toContain(folder);
  });

  it('counts what would be shown as white or black: a line, and measured values without a white', async () => {
    const folder = await temporaryFolder();
    const create = { width: 400, height: 3, channels: 3, background: { r: 10, g: 20, b: 30 } } as const;
    await sharp({ create }).toFile(join(folder, 'line.jpg'));
    await sharp({ create }).toFile(join(folder, 'line.png'));
    await writeFile(join(folder, 'floats.tif'), floatTiff(8, 8));
    const { photo, findings } = await decode(folder, ['line.jpg', 'line.png', 'floats.tif'], 64);
    expect(photo).toEqual([NONE, NONE, NONE]);
    expect(findings).toMatchObject([
      {
        what: 'Photos unreadable, truncated or too large, left out',
        count: 3,
        examples: [/400 × 3 pixels are a line/, /400 × 3 pixels are a line/, /of the type float/].map(
          (text) => expect.stringMatching(text),
        ),
      },
    ]);
  });

  it('uses a PNG that is named .jpg, and says so', async () => {
    const folder = await temporaryFolder();
    await writePhoto(join(folder, 'a.png'), 1);
    await copyFile(join(folder, 'a.png'), join(folder, 'a.jpg'));
    const { photo, findings } = await decode(folder, ['a.jpg']);
    expect(photo).toEqual([0]);
    expect(findings[0]?.examples).toEqual(['a.jpg: png']);
  });

  it('keeps photos as JPEG where that is asked for, each once, and gives back nearly the same pixels', async () => {
    const folder = await temporaryFolder();
    // Enough of them for threads, of which the last is the first again.
    const inputs = await Promise.all(
      Array.from({ length: 140 }, async (_, photo) => {
        const path = join(folder, `${photo}.png`);
        await writePhoto(path, photo % 139, 48);
        return { kind: 'file', path } as const;
      }),
    );
    const decodeAs = async (form: PhotoForm, count: number, before: PhotoPlace['before'] = none) => {
      const place = { path: join(folder, form), side: 40, form, before };
      return decodePhotos(inputs.slice(before.count, before.count + count), place, new Findings());
    };
    const { count, photo } = await decodeAs('pixels', 140);
    const begun = await decodeAs('jpeg', 100);
    const encoded = await decodeAs('jpeg', 40, begun);
    expect([...begun.photo, ...encoded.photo]).toEqual([...photo]);
    expect([count, encoded.count]).toEqual([139, 139]);
    const { index } = encoded;
    if (index === null) throw new Error('there is no index');
    const path = join(folder, 'jpeg');
    const images = ImageCache.open(path, 40, 139, { index, decode: await plainJpegDecoder() });
    const plain = ImageCache.open(join(folder, 'pixels'), 40, 139);
    const rows = [138, 0, 7, 0];
    const [given, exact] = [images.read(rows, 5), plain.read(rows, 5)];
    const squares = given.reduce((sum, value, at) => sum + (value - exact[at]!) ** 2, 0);
    // Peak signal to noise over 30 dB.
    expect(squares / given.length).toBeLessThan(255 ** 2 / 1000);
    expect((await stat(path)).size).toBeLessThan((await stat(join(folder, 'pixels'))).size / 2);

    const damaged = await readFile(path);
    damaged[index.offset[7]! + index.length[7]! - 9]! ^= 1;
    await writeFile(path, damaged);
    expect(() => images.read([7])).toThrow(expect.objectContaining({ code: 'FILE_CORRUPT' }));
    images.close();
    plain.close();
    const short = { index, decode: await plainJpegDecoder() };
    await truncate(path, damaged.length - 1);
    expect(() => ImageCache.open(path, 40, 139, short)).toThrow(
      expect.objectContaining({ code: 'FILE_CORRUPT' }),
    );
  });

  it('tells how far it is', async () => {
    const folder = await temporaryFolder();
    await writePhoto(join(folder, 'a.png'), 1);
    const { events } = await decode(folder, ['a.png']);
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'advance', 'end']);
    expect(events[0]).toMatchObject({ stage: 'Decode photos', unit: 'photos', total: 1 });
  });
});
