import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafeTensors, encodeSafeTensors, type SafeTensor } from './safetensors.ts';

const tensor = fc
  .array(fc.float({ noNaN: true }), { maxLength: 20 })
  .map((values): SafeTensor => ({ shape: [values.length], data: Float32Array.from(values) }));
const names = fc
  .string({ minLength: 1, maxLength: 8 })
  .filter((name) => name !== '__metadata__' && name !== '__proto__');
const file = fc.record({
  metadata: fc.dictionary(fc.constantFrom('step', 'seed'), fc.string()),
  tensors: fc.dictionary(names, tensor, { minKeys: 1 }).map((entries) => new Map(Object.entries(entries))),
});

describe('safetensors', () => {
  it('gives back what was written, whatever it was', () => {
    fc.assert(
      fc.property(file, ({ metadata, tensors }) => {
        const read = decodeSafeTensors(Buffer.from(encodeSafeTensors({ metadata, tensors })));
        expect(read.metadata).toMatchObject(metadata);
        expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
      }),
    );
  });

  it('refuses a file cut at any place', () => {
    fc.assert(
      fc.property(file, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (content, share) => {
        const bytes = Buffer.from(encodeSafeTensors(content));
        const cut = Math.floor(share * bytes.length);
        expect(() => decodeSafeTensors(bytes.subarray(0, cut))).toThrow();
      }),
    );
  });

  it('notices a single altered value', () => {
    const bytes = Buffer.from(
      encodeSafeTensors({
        metadata: {},
        tensors: new Map([['w', { shape: [2], data: Float32Array.of(1, 2) }]]),
      }),
    );
    bytes[bytes.length - 1]! ^= 1;
    expect(() => decodeSafeTensors(bytes)).toThrow('checksum');
  });

  it('refuses a header that claims more than the file holds', () => {
    const header = Buffer.from('{"w":{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}}');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    expect(() => decodeSafeTensors(Buffer.concat([length, header, Buffer.alloc(8)]))).toThrow('cut off');
    length.writeBigUInt64LE(2n ** 60n);
    expect(() => decodeSafeTensors(Buffer.concat([length, header]))).toThrow('header');
  });
});
