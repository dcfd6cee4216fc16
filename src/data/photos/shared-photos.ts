/**
 * Photos that several processes decode: the first one says which and keeps what comes of them, the others do nothing else. While it keeps
 * one round, all decode the next.
 */
import { askOthers, type Errand } from '../../collectives/errands.ts';
import { gatherBytes } from '../../collectives/gather.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { evenShares, ownShare } from '../../collectives/shares.ts';
import { allGatherNumbers, broadcastJson, receiveJson } from '../../collectives/texts.ts';
import { PhotoPool, type SentPhoto, together } from './photo-pool.ts';
import type { PhotoForm, StoredPhoto } from './stored-photo.ts';

/** A photo that is read from a disk that all share. */
export type FilePhoto = Extract<SentPhoto, { readonly kind: 'file' }>;

/** A round, which the first process tells the others. */
interface Told {
  readonly photos: readonly FilePhoto[];
  readonly side: number;
  readonly form: PhotoForm;
}

/** Photos of a round for each process: what the first one keeps in memory grows with them. */
const photosEach = 8 * together;

/** What becomes of the photos, in their order and some at a time; the first process asks for it. */
export async function* decodeTogether(
  group: ProcessGroup,
  pool: PhotoPool,
  photos: readonly FilePhoto[],
  side: number,
  form: PhotoForm,
): AsyncGenerator<readonly StoredPhoto[], void> {
  const round = photosEach * group.size;
  await askOthers(group, decodingErrand);
  let underWay: Promise<readonly StoredPhoto[]> | null = null;
  for (let from = 0; from < photos.length; from += round) {
    const told = { photos: photos.slice(from, from + round), side, form };
    await broadcastJson<Told | null>(group, told);
    const next = decodeShare(group, pool, told);
    if (underWay !== null) yield await gathered(group, await underWay);
    underWay = next;
  }
  await broadcastJson<Told | null>(group, null);
  if (underWay !== null) yield await gathered(group, await underWay);
}

/** What the others do meanwhile. */
export const decodingErrand: Errand = { name: 'decoding', run: decodeForFirst };

async function decodeForFirst(group: ProcessGroup): Promise<void> {
  const pool = PhotoPool.start();
  let underWay: Promise<readonly StoredPhoto[]> | null = null;
  try {
    for (;;) {
      const told = await receiveJson<Told | null>(group);
      const next = told === null ? null : decodeShare(group, pool, told);
      if (underWay !== null) await gathered(group, await underWay);
      if (next === null) return;
      underWay = next;
    }
  } finally {
    await pool.close();
  }
}

function decodeShare(
  group: ProcessGroup,
  pool: PhotoPool,
  { photos, side, form }: Told,
): Promise<readonly StoredPhoto[]> {
  const { from, to } = ownShare(evenShares(photos.length, group), group);
  const own = photos.slice(from, to);
  const batches = Array.from({ length: Math.ceil(own.length / together) }, (_, batch) =>
    own.slice(batch * together, (batch + 1) * together),
  );
  const stored = Promise.all(batches.map((batch) => pool.store(batch, side, form))).then((all) => all.flat());
  // Its error is heard when its turn comes.
  stored.catch(() => {});
  return stored;
}

/** Those of all in the first process, by rank; none in the others. */
async function gathered(group: ProcessGroup, own: readonly StoredPhoto[]): Promise<readonly StoredPhoto[]> {
  const pictures = own.map((photo) => (photo.kind === 'stored' ? photo.bytes : new Uint8Array()));
  const told = own.map((photo, place) => ({ photo: withoutBytes(photo), length: pictures[place]!.length }));
  const text = new TextEncoder().encode(JSON.stringify(told));
  const bytes = Buffer.concat(pictures);
  const texts = await gatherBytes(group, text, await allGatherNumbers(group, text.length));
  const contents = await gatherBytes(group, bytes, await allGatherNumbers(group, bytes.length));
  return texts.flatMap((one, from) => {
    const all: typeof told = JSON.parse(new TextDecoder().decode(one));
    let end = 0;
    return all.map(({ photo, length }): StoredPhoto => {
      const start = end;
      end += length;
      return photo.kind === 'stored' ? { ...photo, bytes: contents[from]!.subarray(start, end) } : photo;
    });
  });
}

function withoutBytes(photo: StoredPhoto) {
  if (photo.kind !== 'stored') return photo;
  const { bytes: _, ...rest } = photo;
  return rest;
}
