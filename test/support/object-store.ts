/** A real S3-compatible server on this machine, for tests. */
import { AwsClient } from 'aws4fetch';
import S3rver from 's3rver';

export interface ObjectStore {
  readonly bucket: string;
  /** What a client of it has in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  put(key: string, bytes: Buffer): Promise<void>;
  readonly close: () => Promise<void>;
}

/** @param directory where it keeps its objects */
export async function objectStore(directory: string): Promise<ObjectStore> {
  const bucket = 'photos';
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket, configs: [] }],
  });
  const { port } = await server.run();
  const address = `http://127.0.0.1:${port}`;
  const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const client = new AwsClient({ ...keys, service: 's3', region: 'us-east-1' });
  return {
    bucket,
    environment: {
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_ENDPOINT_URL_S3: address,
    },
    async put(key, bytes) {
      const answer = await client.fetch(`${address}/${bucket}/${key}`, {
        method: 'PUT',
        body: new Uint8Array(bytes),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    close: () => server.close(),
  };
}
