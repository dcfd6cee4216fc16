/** Photos in an S3-compatible object store. */
import { AwsClient } from 'aws4fetch';
import { DOMParser } from 'linkedom';
import { CourierError, messageOf } from '../../errors.ts';
import { PhotoTooLarge } from '../photos/photo-file.ts';
import { PhotoCollection } from './photo-collection.ts';

/** Whether photos are said to lie in an object store: `s3://bucket/prefix`. */
export function isBucket(images: string): boolean {
  return /^s3:\/\//i.test(images);
}

/** Keys that stores list at a time. */
const mostListed = 1000;

/** How often a server that fails is asked again, after longer and longer pauses. */
const retries = 4;

/** Milliseconds for an answer. */
const timeout = 60_000;

/**
 * The objects below a prefix. Keys, region and server come from the environment, as other tools have them: AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.
 * @param listed keys that are asked for at a time
 * @throws CourierError FILE_UNREADABLE, CONFIG_INVALID without keys
 */
export async function bucketPhotos(
  images: string,
  environment: NodeJS.ProcessEnv = process.env,
  listed = mostListed,
): Promise<PhotoCollection> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/i.exec(images) ?? [];
  const store = new Bucket(bucket, environment);
  const begin = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  try {
    const keys = await store.list(begin, listed);
    return new PhotoCollection(
      images,
      keys.map((key) => key.slice(begin.length)),
      (path) => ({ kind: 'bytes', name: path, read: (limit) => store.get(`${begin}${path}`, limit) }),
    );
  } catch (error) {
    if (error instanceof CourierError) throw error;
    throw new CourierError(
      'FILE_UNREADABLE',
      `${images} cannot be read: ${messageOf(error)}`,
      'Check bucket, prefix, keys (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and server (AWS_ENDPOINT_URL_S3, AWS_REGION).',
      { cause: error },
    );
  }
}

class Bucket {
  readonly #client: AwsClient;
  readonly #address: string;

  /** @throws CourierError CONFIG_INVALID */
  constructor(bucket: string, environment: NodeJS.ProcessEnv) {
    const {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_REGION: region = 'us-east-1',
    } = environment;
    if (accessKeyId === undefined || secretAccessKey === undefined) {
      throw new CourierError(
        'CONFIG_INVALID',
        'Photos in an object store need AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.',
        'Set them, and AWS_ENDPOINT_URL_S3 for a store other than that of Amazon.',
      );
    }
    const server =
      environment['AWS_ENDPOINT_URL_S3'] ??
      environment['AWS_ENDPOINT_URL'] ??
      `https://s3.${region}.amazonaws.com`;
    this.#address = `${server.replace(/\/$/, '')}/${encodeURIComponent(bucket)}`;
    const session = sessionToken === undefined ? {} : { sessionToken };
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      region,
      service: 's3',
      retries,
      ...session,
    });
  }

  /** All keys that begin so, in their order. */
  async list(prefix: string, listed: number): Promise<string[]> {
    const keys: string[] = [];
    for (let isWhole = false; !isWhole; ) {
      const query = new URLSearchParams({ prefix, 'max-keys': `${listed}`, marker: keys.at(-1) ?? '' });
      const text = await (await this.#ask(`${this.#address}?${query}`)).text();
      const document = new DOMParser().parseFromString(text, 'text/xml');
      const some = [...document.querySelectorAll('Contents > Key')].map((key) => key.textContent ?? '');
      keys.push(...some);
      isWhole = some.length === 0 || document.querySelector('IsTruncated')?.textContent !== 'true';
    }
    return keys;
  }

  async get(key: string, limit: number): Promise<Buffer> {
    const path = key.split('/').map(encodeURIComponent).join('/');
    const answer = await this.#ask(`${this.#address}/${path}`);
    if (Number(answer.headers.get('content-length') ?? 0) > limit) {
      await answer.body?.cancel();
      throw new PhotoTooLarge();
    }
    return Buffer.from(await answer.arrayBuffer());
  }

  async #ask(address: string): Promise<Response> {
    const answer = await this.#client.fetch(address, { signal: AbortSignal.timeout(timeout) });
    if (answer.ok) return answer;
    const text = await answer.text();
    const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '';
    throw new Error(`the server answers ${answer.status} ${code}`.trim());
  }
}
