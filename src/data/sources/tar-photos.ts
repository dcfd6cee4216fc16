/** Photos in tar archives, as WebDataset has them: shards of members, which are found once and read where they lie. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { extract } from 'tar-stream';
import { CourierError, messageOf } from '../../errors.ts';
import { PhotoTooLarge } from '../photos/photo-file.ts';
import { PhotoCollection } from './photo-collection.ts';

/** Where the bytes of a member lie. */
interface Member {
  readonly shard: string;
  readonly offset: number;
  readonly size: number;
}

/**
 * The members of some archives. A name that several of them have is that of no item, unless the shard stands before it: `shard-0/a.jpg`.
 * @throws CourierError FILE_UNREADABLE
 */
export async function tarPhotos(root: string, shards: readonly string[]): Promise<PhotoCollection> {
  const found: { readonly name: string; readonly member: Member }[] = [];
  for (const shard of shards) found.push(...(await membersOf(shard)));
  const times = new Map<string, number>();
  for (const { name } of found) times.set(name, (times.get(name) ?? 0) + 1);
  const members = new Map(
    found.map(({ name, member }) => [
      times.get(name) === 1 ? name : `${basename(member.shard, '.tar')}/${name}`,
      member,
    ]),
  );
  return new PhotoCollection(root, [...members.keys()], (name) => ({
    kind: 'bytes',
    name,
    read: (limit) => readMember(members.get(name)!, limit),
  }));
}

async function membersOf(shard: string): Promise<{ name: string; member: Member }[]> {
  const found: { name: string; member: Member }[] = [];
  const archive = extract();
  const reading = createReadStream(shard);
  reading.on('error', (error) => archive.destroy(error));
  try {
    for await (const entry of reading.pipe(archive)) {
      const { name, type, size = 0 } = entry.header;
      const { byteOffset } = placed(entry.header);
      if (type === 'file') found.push({ name: plain(name), member: { shard, offset: byteOffset, size } });
      entry.resume();
    }
  } catch (error) {
    throw new CourierError(
      'FILE_UNREADABLE',
      `${shard} cannot be read as a tar archive: ${messageOf(error)}`,
      'Check that it is whole, and not compressed: its members are read where they lie.',
      { cause: error },
    );
  }
  return found;
}

/** tar-stream says where the bytes of a member begin; its types do not. */
function placed(header: object): { byteOffset: number } {
  if ('byteOffset' in header && typeof header.byteOffset === 'number')
    return { byteOffset: header.byteOffset };
  throw new Error('the place of a member is not known');
}

/** A name without what would lead out, or means nothing. */
function plain(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/');
}

async function readMember({ shard, offset, size }: Member, limit: number): Promise<Buffer> {
  if (size > limit) throw new PhotoTooLarge();
  const file = await open(shard);
  try {
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, offset);
    if (bytesRead !== size) throw new Error('the archive ends within it');
    return bytes;
  } finally {
    await file.close();
  }
}
