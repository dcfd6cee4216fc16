import { describe, expect, it } from 'vitest';
import { transportSettings } from './transports.ts';

describe('transportSettings', () => {
  it('has long messages sent at once, but for cards that write into the memory of other machines', () => {
    expect(transportSettings(false)).toMatchObject({ UCX_RNDV_THRESH: 'inf' });
    expect(transportSettings(true)).not.toHaveProperty('UCX_RNDV_THRESH');
  });

  it('never has the functions rewritten that ask for memory', () => {
    for (const hasRemoteMemory of [true, false]) {
      expect(transportSettings(hasRemoteMemory)).toMatchObject({
        UCX_MEM_EVENTS: 'no',
        FI_MR_CACHE_MONITOR: 'disabled',
      });
    }
  });
});
