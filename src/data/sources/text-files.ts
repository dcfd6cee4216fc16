/** Text files as DuckDB reads them: UTF-8 without a byte order mark. Others are written anew beside, for as long as they are read. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CourierError } from '../../errors.ts';

/** The remedy where bytes are no text in UTF-8. */
export const otherEncoding =
  'Name its encoding with `encoding` (--encoding), such as latin1, windows-1252 or gbk.';

/** As far as the first line is looked for. */
const headBytes = 65_536;

/** The begin of a file, unpacked where it is gzip. @returns null where it cannot be unpacked here */
async function headOf(path: string): Promise<Buffer | null> {
  if (path.toLowerCase().endsWith('.zst')) return null;
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    return path.toLowerCase().endsWith('.gz') ? await unpacked(head) : head;
  } finally {
    await handle.close();
  }
}

/** As much of a cut gzip file as there is. */
async function unpacked(head: Buffer): Promise<Buffer> {
  const gunzip = createGunzip();
  const parts: Buffer[] = [];
  gunzip.on('data', (part: Buffer) => parts.push(part));
  await new Promise<void>((done) => {
    // The end of what was read is no end of the stream.
    gunzip.on('error', () => done());
    gunzip.on('end', () => done());
    gunzip.end(head);
  });
  return Buffer.concat(parts);
}

/** Labels of encodings by the marks that files of them begin with. */
const marks: readonly (readonly [string, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

export interface TextFile {
  /** Where it can be read as UTF-8. */
  readonly path: string;
  /** As far as 64 KiB; null where the compression is DuckDB's alone. */
  readonly firstLine: string | null;
}

/**
 * A file as UTF-8 without a mark.
 * @param encoding as the WHATWG Encoding Standard names them; undefined: by its mark, else UTF-8
 * @param temporary folder for a copy where there has to be one
 * @throws CourierError CONFIG_INVALID for an unknown encoding, FILE_UNREADABLE for bytes that are none of it
 */
export async function textFile(
  path: string,
  encoding: string | undefined,
  temporary: string,
  place: number,
): Promise<TextFile> {
  const head = await headOf(path);
  const mark = marks.find(([, bytes]) => head !== null && bytes.every((byte, at) => head[at] === byte));
  const label = labelOf(encoding ?? mark?.[0] ?? 'utf-8');
  const text = head === null ? null : new TextDecoder(label).decode(head);
  const firstLine = text === null ? null : (text.split(/\r\n|\n|\r/, 1)[0] ?? '');
  // DuckDB knows the mark of UTF-8 in tables, and not in lines of JSON.
  if (label === 'utf-8' && mark === undefined) return { path, firstLine };
  const copy = join(temporary, `${place}.utf-8`);
  await decode(path, label, copy);
  return { path: copy, firstLine };
}

/** As the standard calls it. */
function labelOf(encoding: string): string {
  try {
    return new TextDecoder(encoding).encoding;
  } catch (error) {
    const remedy = 'Name one such as latin1, windows-1252, gbk, shift_jis, utf-16le.';
    throw new CourierError('CONFIG_INVALID', `No encoding is called ${encoding}.`, remedy, { cause: error });
  }
}

async function decode(path: string, label: string, copy: string): Promise<void> {
  const decoder = new TextDecoder(label, { fatal: true });
  const file = createReadStream(path);
  const bytes = path.toLowerCase().endsWith('.gz') ? file.pipe(createGunzip()) : file;
  const decoded = async function* (parts: AsyncIterable<Uint8Array>) {
    for await (const part of parts) yield decoder.decode(part, { stream: true });
    yield decoder.decode();
  };
  try {
    await pipeline(bytes, decoded, createWriteStream(copy, { encoding: 'utf8' }));
  } catch (error) {
    throw new CourierError(
      'FILE_UNREADABLE',
      `${path} is not in ${label}.`,
      'Name its encoding with `encoding` (--encoding), such as latin1, windows-1252, gbk, utf-16le.',
      { cause: error },
    );
  }
}
