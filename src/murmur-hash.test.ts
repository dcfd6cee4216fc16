import { describe, expect, it } from 'vitest';
import { murmurHash3 } from './murmur-hash.ts';

const text = (value: string) => new TextEncoder().encode(value);

describe('MurmurHash3', () => {
  it.each([
    ['', 0, 0x00000000],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['abcd', 0x9747b28c, 0xf0478627],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ])('of %o with seed %i is the published %i', (value, seed, expected) => {
    expect(murmurHash3(text(value), seed)).toBe(expected);
  });

  it('passes the verification of its author: 0xB0F57EE3 over keys of 0 to 255 bytes', () => {
    const hashes = new DataView(new ArrayBuffer(4 * 256));
    const key = Uint8Array.from({ length: 256 }, (_, index) => index);
    for (let length = 0; length < 256; length++) {
      hashes.setUint32(4 * length, murmurHash3(key.subarray(0, length), 256 - length), true);
    }
    expect(murmurHash3(new Uint8Array(hashes.buffer), 0)).toBe(0xb0f57ee3);
  });
});
