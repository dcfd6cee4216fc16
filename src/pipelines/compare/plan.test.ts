import { describe, expect, it } from 'vitest';
import { describePlan, describeRest, estimateTime, type Task } from './plan.ts';

const embed = (source: 'courier' | 'hog', seed: number | null, seconds: number | null): Task => {
  return { kind: 'embed', source, seed, finished: seconds !== null, seconds };
};
const rank = (features: string | null, seed: number, seconds: number | null): Task => {
  const source = features === null ? null : 'courier';
  return { kind: 'rank', source, features, start: 'warm', seed, finished: seconds !== null, seconds };
};

describe('the plan', () => {
  it('takes the mean of what was measured of a kind, and nothing for what was not', () => {
    const tasks = [
      embed('courier', 1, 100),
      embed('courier', 2, 140),
      embed('courier', 3, null),
      embed('hog', null, null),
      rank(null, 1, 10),
      rank(null, 2, null),
      rank(null, 3, null),
      rank('vector', 1, null),
    ];
    const estimate = { seconds: 120 + 2 * 10, known: 3, unknown: ['hog', 'rankers of vector, warm'] };
    expect(estimateTime(tasks)).toEqual(estimate);
    expect(describePlan(tasks, false)).toEqual([
      'Plan: embeddings: 2 of 4 are there; to compute: courier (seed 3); hog',
      'Plan: rankers: 1 of 4 are there; to compute: none, warm (seeds 2, 3); courier vector, warm (seed 1)',
      'Plan: about 2 min 20 s for 3 of 5 that are left; not known before the first of each is finished: hog; rankers of vector, warm',
    ]);
  });

  it('counts what is tried several times with one seed', () => {
    const attempt: Task = { kind: 'try', start: 'warm', seed: 1, finished: false, seconds: null };
    expect(describePlan([attempt, attempt, attempt], false)).toContain(
      'Plan: rankers: 0 of 3 are there; to compute: none, to choose settings, warm (3 of seed 1)',
    );
  });

  it('gives no time before anything is known, and says when nothing is left', () => {
    expect(describeRest([embed('hog', null, null)])).toBe(
      'how long it takes is not known before the first of each is finished: hog',
    );
    expect(describeRest([embed('hog', null, 3)])).toBe('nothing is left to compute');
  });
});
