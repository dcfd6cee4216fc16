/** Photos behind addresses: fetched once, politely, into a folder in which they are found the next time. */
import { createHash } from 'node:crypto';
import { lookup as resolveHost } from 'node:dns';
import { readFile, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeWhole } from '../../storage/files.ts';
import { type PhotoInput, PhotoTooLarge } from '../photos/photo-file.ts';

/** How addresses are asked. */
export interface DownloadOptions {
  /** Further options of a request, such as certificates to trust. */
  readonly request?: RequestOptions;
  /** Whether an address of the network may be asked. By default those of the public internet. */
  readonly isAllowed?: (address: string) => boolean;
}

/** So long for a photo, with so many attempts and redirections. */
const [timeout, attempts, redirections] = [20_000, 3, 3];

/** Milliseconds before the second attempt, twice as long before the third. */
const pauseBetween = 500;

/** Addresses of this machine, of private networks, and of none: what a catalogue must not make a server ask. */
const notPublic = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  notPublic.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  notPublic.addSubnet(network, bits, 'ipv6');

/** Whether an address belongs to the public internet. */
export function isPublic(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  const family = isIP(plain);
  return family !== 0 && !notPublic.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

/** @param folder where photos are kept, by the hash of their address */
export function downloadedPhoto(address: string, folder: string, options: DownloadOptions = {}): PhotoInput {
  const kept = join(folder, `${createHash('sha256').update(address).digest('hex').slice(0, 32)}.download`);
  return {
    kind: 'bytes',
    name: address,
    async read(limit) {
      const known = await readFile(kept).catch(() => null);
      if (known !== null) return known;
      const bytes = await fetchBytes(address, limit, options);
      await writeWhole(kept, (temporary) => writeFile(temporary, bytes));
      return bytes;
    },
  };
}

/**
 * A photo as its server gives it now, asked for once.
 * @param limit of its bytes
 * @throws Error that says why there is none; PhotoTooLarge
 */
export async function fetchPhoto(address: string, limit: number, options: DownloadOptions = {}) {
  return follow(address, limit, options);
}

async function fetchBytes(address: string, limit: number, options: DownloadOptions): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await follow(address, limit, options);
    } catch (error) {
      if (attempt === attempts || error instanceof Refused || error instanceof PhotoTooLarge) throw error;
      await pause(pauseBetween * 2 ** (attempt - 1));
    }
  }
}

/** An answer that another attempt would not change: its message names what was asked. */
export class Refused extends Error {}

async function follow(address: string, limit: number, options: DownloadOptions): Promise<Buffer> {
  let next = address;
  for (let hop = 0; hop <= redirections; hop++) {
    const answer = await ask(next, limit, options);
    if (answer.kind === 'bytes') return answer.bytes;
    next = answer.address;
  }
  throw new Refused(`more than ${redirections} redirections`);
}

type Answer =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'moved'; readonly address: string };

function ask(
  address: string,
  limit: number,
  { request: more = {}, isAllowed = isPublic }: DownloadOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url?.protocol !== 'https:') return reject(new Refused('not an address that begins with https://'));
    // A name is looked up once, and what it was found to be is asked: it cannot be another one by then.
    const lookup: LookupFunction = (host, asked, done) =>
      resolveHost(host, { ...asked, all: true }, (error, found) => {
        if (error !== null) return done(error, '');
        const [allowed] = found.filter((each) => isAllowed(each.address));
        if (allowed === undefined) return done(new Refused(`${host} is of no public network`), '');
        if (asked.all === true) done(null, [allowed]);
        else done(null, allowed.address, allowed.family);
      });
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && !isAllowed(host)) return reject(new Refused(`${host} is of no public network`));
    const asking = request(
      url,
      { lookup, headers: { accept: 'image/*' }, ...more, signal: AbortSignal.timeout(timeout) },
      (answer) => {
        const { statusCode = 0, headers } = answer;
        if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
          answer.resume();
          if (!URL.canParse(headers.location, url.href))
            return reject(new Refused('it is moved to no address'));
          return resolve({ kind: 'moved', address: new URL(headers.location, url).href });
        }
        if (statusCode !== 200) {
          answer.resume();
          const isFinal = statusCode >= 400 && statusCode < 500 && statusCode !== 429;
          return reject(new (isFinal ? Refused : Error)(`the server answers ${statusCode}`));
        }
        const parts: Buffer[] = [];
        let length = 0;
        answer.on('data', (part: Buffer) => {
          length += part.length;
          parts.push(part);
          if (length > limit) {
            answer.destroy();
            reject(new PhotoTooLarge());
          }
        });
        answer.on('error', reject);
        answer.on('end', () => resolve({ kind: 'bytes', bytes: Buffer.concat(parts) }));
      },
    );
    asking.on('error', reject);
    asking.end();
  });
}
