import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  communicationBytes,
  communicationLatencies,
  communicationSeconds,
  processesWithin,
  rankerCommunicationBytes,
} from '../../bench/communication.ts';

const step = { photos: 1000, dimension: 64, parameters: 500_000 };

describe('the communication of a step', () => {
  it('is nothing for one process', () => {
    expect(communicationBytes({ ...step, processes: 1 })).toBe(0);
    expect(communicationLatencies({ processes: 1 })).toBe(0);
  });

  it('of two processes is half of the embeddings, of their gradients and twice of those of the parameters', () => {
    const halves = [32_000, 32_000, 250_000, 250_000];
    expect(communicationBytes({ ...step, processes: 2 })).toBe(4 * halves.reduce((sum, half) => sum + half));
  });

  it('is what a ring sends, neighbour by neighbour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), (processes) => {
        let numbers = 0;
        const part = (total: number) => total / processes;
        for (let round = 1; round < processes; round++)
          numbers += 2 * part(step.photos * step.dimension) + 2 * part(step.parameters);
        expect(communicationBytes({ ...step, processes })).toBeCloseTo(4 * numbers, 3);
      }),
    );
  });

  it('takes its bytes at the bandwidth and its rounds at the latency', () => {
    const two = { ...step, processes: 2 };
    const network = { bytesPerSecond: 125e6, latency: 1e-3 };
    expect(communicationSeconds(two, network)).toBeCloseTo(0.02 + 2_256_000 / 125e6, 9);
  });
});

describe('the latencies of a step', () => {
  it('are five for each long message: the others one by one for the gathering and its way back, and a doubling and a halving for the sum', () => {
    const byHand = [
      [2, 1 + 1 + 1 + 1],
      [4, 3 + 3 + 2 + 2],
      [5, 4 + 4 + 3 + 3],
    ];
    for (const [processes = 0, messages = 0] of byHand)
      expect(communicationLatencies({ processes })).toBe(5 * messages);
  });
});

describe('the communication of a step of a ranker', () => {
  it('is nothing for one process, and for two half of the rows, their numbers and gradients, and once the parameters', () => {
    const ranker = { rows: 1000, dimension: 8, parameters: 49_999 };
    expect(rankerCommunicationBytes({ ...ranker, processes: 1 })).toBe(0);
    expect(rankerCommunicationBytes({ ...ranker, processes: 2 })).toBe(4 * (500 * (1 + 8 + 8) + 50_000 + 1));
  });
});

describe('processesWithin', () => {
  it('is the last number whose communication is within the share', () => {
    const network = { bytesPerSecond: 125e6, latency: 0 };
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 60, noNaN: true }), (seconds) => {
        const most = processesWithin(0.5, step, seconds, network);
        const isWithin = (processes: number) =>
          communicationSeconds({ ...step, processes }, network) <= (0.5 * seconds) / processes;
        expect([most === 1 || isWithin(most), isWithin(most + 1)]).toEqual([true, false]);
      }),
    );
  });
});
