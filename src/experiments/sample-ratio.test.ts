import { describe, expect, it } from 'vitest';
import { sampleRatio } from './sample-ratio.ts';

describe('the sample ratio', () => {
  it('is a mismatch in the example that is told of it: 821,588 users against 815,482', () => {
    // Kohavi, Tang, Xu, Trustworthy Online Controlled Experiments, 2020: p of 1.8e-6.
    const ratio = sampleRatio([821_588, 815_482], [0.5, 0.5]);
    expect(ratio.p).toBeGreaterThan(1.7e-6);
    expect(ratio.p).toBeLessThan(1.9e-6);
    expect(ratio.isMismatch).toBe(true);
  });

  it('is none where luck does as much, and expects users by share', () => {
    const ratio = sampleRatio([905, 52, 43], [0.9, 0.05, 0.05]);
    expect(ratio).toMatchObject({ expected: [900, 50, 50], degreesOfFreedom: 2, isMismatch: false });
    expect(ratio.chiSquared).toBeCloseTo(25 / 900 + 4 / 50 + 49 / 50, 10);
  });
});
