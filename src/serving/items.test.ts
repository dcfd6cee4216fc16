import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exportOf, type ServedShop, servedShop } from '../../test/support/served-shop.ts';
import { writeUntrainedEncoder } from '../../test/support/untrained-encoder.ts';
import { readEmbeddings } from '../data/embeddings/embeddings.ts';
import { embed } from '../pipelines/embed/index.ts';
import { openService, type ServiceOptions } from './service.ts';

/** A photo that no item of the shop has. */
async function newPhoto(): Promise<Uint8Array> {
  const stripes = Uint8Array.from({ length: 24 * 24 * 3 }, (_, at) => (at % 7) * 36);
  return sharp(stripes, { raw: { width: 24, height: 24, channels: 3 } })
    .png()
    .toBuffer();
}

describe('new items of a service', () => {
  let folder: string;
  let shop: ServedShop;
  let served: string;
  let states = 0;
  const newState = () => join(folder, `state-${states++}.mdb`);
  const open = (options: Partial<ServiceOptions> = {}) =>
    openService({ export: served, state: newState(), window: 0, ...options });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'courier-'));
    shop = await servedShop(folder);
    ({ served } = await exportOf(shop, { name: 'items', features: 'sim-score+cluster-id' }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are in scores and neighbours as soon as they are put, after a restart, and in another replica', async () => {
    const state = newState();
    const [one, other] = [await open({ state }), await open({ state, refresh: 20 })];
    const photo = await newPhoto();
    await expect(one.similar({ item: 'new' })).rejects.toMatchObject({ code: 'ITEM_UNKNOWN' });
    const before = await one.score({ candidates: ['new'] });
    await one.putItem({ id: 'new', numeric: { price: 12 }, photo });
    await one.putItem({ id: 'copy', photo });
    const after = await one.score({ candidates: ['new'] });
    expect([before.known[0], after.known[0]]).toEqual([0, 1]);
    expect(after.scores[0]).not.toBe(before.scores[0]);
    const [nearest] = await one.similar({ item: 'new', most: 1 });
    expect(nearest?.item).toBe('copy');
    expect(nearest?.cosine).toBeCloseTo(1, 5);
    expect(await one.embed({ item: 'new' })).toEqual(await one.embed({ photo }));
    const wanted = await one.similar({ item: 'new' });
    await vi.waitFor(async () => expect(await other.similar({ item: 'new' })).toEqual(wanted), {
      timeout: 10_000,
    });
    expect((await other.score({ candidates: ['new'] })).scores[0]).toBeCloseTo(after.scores[0]!, 6);
    await one.close();
    await other.close();
    const again = await open({ state });
    expect(await again.similar({ item: 'new' })).toEqual(wanted);
    expect(again.statistics().items).toBe(62);
    await again.close();
  });

  it('with the photo of a known item have its embedding and codes, and are not compared with it', async () => {
    const service = await open();
    const { ids } = await readEmbeddings(shop.embeddings);
    const twin = ids[7]!;
    const images = join(folder, 'shop', 'images');
    const name = (await readdir(images)).find((file) => file.startsWith(`${twin}.`));
    expect(name).toBeDefined();
    await service.putItem({ id: 'twin', photo: await readFile(join(images, name ?? '')) });
    const [own, copy] = [await service.embed({ item: twin }), await service.embed({ item: 'twin' })];
    expect(copy.every((value, place) => Math.abs(value - own[place]!) < 1e-6)).toBe(true);
    // Both show one picture: what a user clicked says nothing of its copy.
    const [ofCopy, ofOther] = [
      await service.features({ history: [twin], candidates: ['twin'] }),
      await service.features({ history: [twin], candidates: [ids[8]!] }),
    ];
    const comparable = 7;
    expect([ofCopy.visual[comparable], ofOther.visual[comparable]]).toEqual([0, 1]);
    const unseen = await service.features({ history: [twin], candidates: [ids[8]!], images: false });
    expect([unseen.visual[comparable], unseen.base]).toEqual([0, ofOther.base]);
    await service.close();
  });

  it('go as if they had never been when they are deleted, known ones too, and come back with what was counted', async () => {
    const state = newState();
    const service = await open({ state });
    const { ids } = await readEmbeddings(shop.embeddings);
    const [item = '', other = ''] = ids;
    const request = { candidates: [item], history: [other] };
    const fresh = await service.score({ ...request, candidates: ['never there'] });
    const before = await service.features(request);
    expect(await service.deleteItem(item)).toBe(true);
    expect(await service.deleteItem(item)).toBe(false);
    const gone = await service.score(request);
    expect([gone.known[0], gone.scores[0]]).toEqual([0, fresh.scores[0]]);
    await expect(service.similar({ item })).rejects.toMatchObject({ code: 'ITEM_UNKNOWN' });
    const found = await service.similar({ item: other, most: 100 });
    expect(found).toHaveLength(58);
    expect(found.map((each) => each.item)).not.toContain(item);
    await service.putItem({ id: item });
    const after = await service.features(request);
    const clicks = before.names.indexOf('item_exposures_log');
    expect(after.base[clicks]).toBeCloseTo(before.base[clicks]!, 2);
    await service.close();
    const again = await open({ state });
    expect((await again.score(request)).known[0]).toBe(1);
    await again.close();
  });

  it('are embedded anew when an export with another encoder is swapped in', async () => {
    const service = await open();
    const photo = await newPhoto();
    await service.putItem({ id: 'new', photo });
    const encoder = await writeUntrainedEncoder(join(folder, 'other.onnx'), 16, 2);
    const embeddings = join(folder, 'other.parquet');
    await embed({ encoder, dataset: shop.dataset, out: embeddings });
    const other = await exportOf({ ...shop, encoder, embeddings }, { name: 'other', features: 'vector' });
    const before = await service.embed({ item: 'new' });
    await service.swap(other.served);
    const after = await service.embed({ item: 'new' });
    expect(after).not.toEqual(before);
    expect(after).toEqual(await service.embed({ photo }));
    await service.close();
  });

  it('are refused with a photo that is none, a column that there is not, or an embedding that the encoder makes', async () => {
    const service = await open();
    const refused = { code: 'VALUE_INVALID' };
    const bytes = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>');
    await expect(service.putItem({ id: 'new', photo: bytes })).rejects.toMatchObject(refused);
    await expect(service.putItem({ id: 'new', numeric: { weight: 1 } })).rejects.toMatchObject(refused);
    await expect(service.putItem({ id: 'new', numeric: { price: Number.NaN } })).rejects.toMatchObject(
      refused,
    );
    await expect(service.putItem({ id: '', numeric: {} })).rejects.toMatchObject(refused);
    await expect(service.putItem({ id: 'new', embedding: new Float32Array(8) })).rejects.toMatchObject(
      refused,
    );
    expect(service.statistics().items).toBe(60);
    await service.close();
  });
});
