import { describe, expect, it } from 'vitest';
import { free, handOver } from './hand-over.ts';

describe('values that are handed over', () => {
  it('leave nothing behind, not even where two of them share their memory', () => {
    const whole = Float32Array.of(1, 2, 3);
    const values = { whole, again: whole, rows: Int32Array.of(4, 5) };
    const { values: given, buffers } = handOver(values);
    expect(given).toEqual(values);
    expect(structuredClone(given, { transfer: [...buffers] })).toEqual({
      whole: Float32Array.of(1, 2, 3),
      again: Float32Array.of(1, 2, 3),
      rows: Int32Array.of(4, 5),
    });
    expect([whole.length, values.rows.length]).toEqual([0, 0]);
  });

  it('are copied where they are a part of memory that others may hold', () => {
    const pool = Float32Array.of(1, 2, 3, 4);
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
    const pooled = Buffer.from([8, 9]);
    const parts = { head: pool.subarray(0, 2), tail: pool.subarray(2), shared, pooled };
    const { values, buffers } = handOver(parts);
    const received = structuredClone(values, { transfer: [...buffers] });
    expect(received).toEqual({
      head: Float32Array.of(1, 2),
      tail: Float32Array.of(3, 4),
      shared: Uint8Array.of(7, 7),
      pooled: Uint8Array.of(8, 9),
    });
    expect(pool).toEqual(Float32Array.of(1, 2, 3, 4));
    expect([...shared, ...pooled]).toEqual([7, 7, 8, 9]);
  });
});

describe('memory that is freed', () => {
  it('is gone at once, but for what others may hold a part of', () => {
    const [whole, pool] = [new Float32Array(3), new Uint8Array(4)];
    free([whole, whole, pool.subarray(1)]);
    expect([whole.buffer.byteLength, pool.buffer.byteLength]).toEqual([0, 4]);
  });
});
