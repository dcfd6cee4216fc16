import { describe, expect, it } from 'vitest';
import { free, handOver, takeOver } from './hand-over.ts';

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
    const pooled = Buffer.from([8, 9]);
    const parts = { head: pool.subarray(0, 2), tail: pool.subarray(2), pooled };
    const { values, buffers } = handOver(parts);
    const received = structuredClone(values, { transfer: [...buffers] });
    expect(received).toEqual({
      head: Float32Array.of(1, 2),
      tail: Float32Array.of(3, 4),
      pooled: Uint8Array.of(8, 9),
    });
    expect(pool).toEqual(Float32Array.of(1, 2, 3, 4));
    expect([...pooled]).toEqual([8, 9]);
  });

  it('stay where they are in memory that is shared, for both to see', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
    const { values, buffers } = handOver({ shared });
    const received = structuredClone(values, { transfer: [...buffers] });
    shared[1] = 8;
    expect(received).toEqual({ shared });
    expect(takeOver({ shared })).toEqual({ shared });
  });
});

describe('memory that is freed', () => {
  it('is gone at once, but for what others may hold a part of', () => {
    const [whole, pool] = [new Float32Array(3), new Uint8Array(4)];
    free([whole, whole, pool.subarray(1)]);
    expect([whole.buffer.byteLength, pool.buffer.byteLength]).toEqual([0, 4]);
  });
});
