/**
 * Photos that several processes decode: the first one says which and keeps what comes of them, the others do nothing else. While it keeps
 * one round, all decode the next.
 */
import { gatherBytes } from '../../collectives/gather.ts';
import type { ProcessGroup } from '../../collectives/process-group.ts';
import { evenShares, ownShare } from '../../collectives/shares.ts';
import { allGatherNumbers, broadcastJson } from '../../collectives/texts.ts';
import { PhotoPool, type SentPhoto, together } from './photo-pool.ts';
import type { PhotoForm, StoredPhoto } from './stored-photo.ts';

/** A photo that is read from a disk that all share. */
export type FilePhoto = Extract<SentPhoto, { readonly kind: 'file' }>;

/** What the first process tells the others. */
type Told<T> =
  | {
      readonly kind: 'photos';
      readonly photos: readonly FilePhoto[];
      readonly side: number;
      readonly form: PhotoForm;
    }
  | { readonly kind: 'no more photos' }
  | { readonly kind: 'the end'; readonly result: T };

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
  let decoding: Promise<readonly StoredPhoto[]> | null = null;
  for (let from = 0; from < photos.length; from += round) {
    const told = { kind: 'photos' as const, photos: photos.slice(from, from + round), side, form };
    await broadcastJson<Told<never>>(group, told);
    const next = decodeShare(group, pool, told);
    if (decoding !== null) yield await gathered(group, await decoding);
    decoding = next;
  }
  await broadcastJson<Told<never>>(group, { kind: 'no more photos' });
  if (decoding !== null) yield await gathered(group, await decoding);
}

/** What the other processes do until the first one has ended. @returns what that ended with */
export async function decodeForFirst<T>(group: ProcessGroup): Promise<T> {
  let pool: PhotoPool | null = null;
  let decoding: Promise<readonly StoredPhoto[]> | null = null;
  try {
    for (;;) {
      const told = await broadcastJson<Told<T>>(group, { kind: 'no more photos' });
      if (told.kind === 'the end') return told.result;
      if (told.kind === 'photos') pool ??= PhotoPool.start();
      const next = told.kind === 'photos' && pool !== null ? decodeShare(group, pool, told) : null;
      if (decoding !== null) await gathered(group, await decoding);
      decoding = next;
    }
  } finally {
    await pool?.close();
  }
}

/** Lets the others go. */
export async function endDecoding<T>(group: ProcessGroup, result: T): Promise<T> {
  await broadcastJson<Told<T>>(group, { kind: 'the end', result });
  return result;
}

async function decodeShare(
  group: ProcessGroup,
  pool: PhotoPool,
  { photos, side, form }: Extract<Told<never>, { readonly kind: 'photos' }>,
): Promise<readonly StoredPhoto[]> {
  const { from, to } = ownShare(evenShares(photos.length, group), group);
  const own = photos.slice(from, to);
  const batches = Array.from({ length: Math.ceil(own.length / together) }, (_, batch) =>
    own.slice(batch * together, (batch + 1) * together),
  );
  const decoding = Promise.all(batches.map((batch) => pool.store(batch, side, form)));
  // Its error is heard when its turn comes.
  decoding.catch(() => {});
  return (await decoding).flat();
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
