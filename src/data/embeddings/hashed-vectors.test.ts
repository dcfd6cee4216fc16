import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestsOf, HashedVectors } from './hashed-vectors.ts';

const hashOf = (value: number) => createHash('sha256').update(String(value)).digest('hex');

describe('vectors by hash', () => {
  it('are found among thousands, batch by batch, and no others are', () => {
    const stored = new HashedVectors();
    const [batches, rows] = [40, 50];
    for (let batch = 0; batch < batches; batch++) {
      const values = Array.from({ length: rows }, (_, row) => batch * rows + row);
      const vectors = Float32Array.from(values.flatMap((value) => [value, -value]));
      stored.add({ digests: digestsOf(values.map(hashOf)), vectors });
    }
    const found = Array.from({ length: batches * rows + 1000 }, (_, value) => stored.get(hashOf(value))?.[1]);
    const expected = found.map((_, value) => (value < batches * rows ? -value : undefined));
    expect(found).toEqual(expected);
  });

  it('of hashes that begin alike are told apart, and the later one of a hash counts', () => {
    const stored = new HashedVectors();
    const hashes = ['0', '1', '2'].map((last) => last.padStart(64, '0'));
    stored.add({ digests: digestsOf(hashes), vectors: Float32Array.of(1, 2, 3) });
    stored.add({ digests: digestsOf(hashes.slice(1, 2)), vectors: Float32Array.of(9) });
    expect(hashes.map((hash) => stored.get(hash)?.[0])).toEqual([1, 9, 3]);
    expect(stored.get('3'.padStart(64, '0'))).toBeNull();
  });
});
