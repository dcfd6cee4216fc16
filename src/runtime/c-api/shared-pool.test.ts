import { describe, expect, it } from 'vitest';
import { runSharedPool } from '../../../test/support/shared-pool.ts';

function furthest(values: readonly number[], others: readonly number[]): number {
  expect(values).toHaveLength(others.length);
  return values.reduce((most, value, at) => Math.max(most, Math.abs(value - others[at]!)), 0);
}

describe('sessions of engines that compute with all cores', () => {
  it('share one pool: nine at once and two trainings come to an end, with what one thread computes and no thread more', async () => {
    const report = await runSharedPool(2, 100);
    expect(report.pooled).toBe(2);
    expect(report.threadsAdded ?? 0).toBe(0);
    expect(report.embeddings.map((own) => own.length)).toEqual([3, 3, 3]);
    for (const own of report.embeddings) {
      for (const [session, vectors] of own.entries()) {
        expect(furthest(vectors, report.embeddingsAlone[session]!)).toBeLessThan(1e-5);
      }
    }
    for (const [index, training] of report.trainings.entries()) {
      const alone = report.trainingsAlone[index]!;
      expect(furthest(training.embeddings, alone.embeddings)).toBeLessThan(1e-5);
      expect(furthest(training.losses, alone.losses)).toBeLessThan(1e-4);
      expect(furthest(training.changes, alone.changes)).toBeLessThan(1e-3);
    }
  });
});
