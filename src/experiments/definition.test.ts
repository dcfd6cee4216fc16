import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { tinyDefinition } from '../../test/support/tiny-experiment.ts';
import { parseExperiment, sharesSince } from './definition.ts';

const step = (from: string, part: number) => ({ from, part });

describe('a definition', () => {
  it('has moments in milliseconds, and a default for what it leaves out', () => {
    const parsed = parseExperiment({ ...tinyDefinition, plannedDays: undefined });
    expect(parsed).toMatchObject({ start: Date.UTC(2024, 2, 1), plannedDays: 28, ramp: [] });
    expect(parsed.arms[1]?.serves).toEqual({ export: 'exports/images' });
  });

  it.each([
    [{ arms: [{ name: 'a', share: 0.5 }] }, /arms/],
    [
      {
        arms: [
          { name: 'a', share: 0.5 },
          { name: 'a', share: 0.5 },
        ],
      },
      /names an arm twice/,
    ],
    [
      {
        arms: [
          { name: 'a', share: 0.5 },
          { name: 'b', share: 0.6 },
        ],
      },
      /shares of more than 1 together/,
    ],
    [{ start: 'soon' }, /`start`: is not a date or time/],
    [{ end: '2024-02-01' }, /`end`: is not after start/],
    [{ ramp: [step('2024-02-01', 0.1)] }, /a step before start/],
    [{ ramp: [step('2024-03-02', 0.5), step('2024-03-03', 0.1)] }, /take users away again/],
    [{ ramp: [step('2024-03-03', 0.1), step('2024-03-02', 0.5)] }, /not in the order of time/],
    [{ primaryMetric: 'profit' }, /`primaryMetric` must be one of `gmv`, `orders`, `ctr`/],
    [{ weight: 1 }, /unknown key `weight`/],
  ])('is refused for %j', (changes, message) => {
    expect(() => parseExperiment({ ...tinyDefinition, ...changes })).toThrow(message);
  });

  it('is what docs/experiments.md shows', async () => {
    const page = await readFile(new URL('../../docs/experiments.md', import.meta.url), 'utf8');
    const [, json = ''] = /```json\n(.*?)```/s.exec(page) ?? [];
    expect(parseExperiment(JSON.parse(json)).arms.map(({ name }) => name)).toEqual(['control', 'images']);
  });

  it('compares arms from the last step of the ramp on that was taken', () => {
    const ramp = [step('2024-03-01', 0.1), step('2024-03-03', 0.5), step('2024-03-09', 1)];
    const ramped = parseExperiment({ ...tinyDefinition, ramp });
    const day = (date: string) => Date.parse(`${date}T00:00:00Z`);
    expect(sharesSince(ramped, day('2024-03-02'))).toBe(day('2024-03-01'));
    expect(sharesSince(ramped, day('2024-03-08'))).toBe(day('2024-03-03'));
    expect(sharesSince(ramped, day('2024-04-01'))).toBe(day('2024-03-09'));
    expect(sharesSince(parseExperiment(tinyDefinition), day('2024-04-01'))).toBe(day('2024-03-01'));
  });
});
