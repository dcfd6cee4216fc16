import { expect, it } from 'vitest';
import { columnMemory } from './column-memory.ts';

it('columns stay as they are until the columns after the next are asked for', () => {
  const memory = columnMemory(2);
  const asked = [3, 5, 2, 5].map((rows, place) => {
    const columns = memory(rows);
    for (const column of columns) column.fill(place);
    return columns;
  });
  const [, , third, fourth] = asked;
  expect(third!.map((column) => [...column])).toEqual([
    [2, 2],
    [2, 2],
  ]);
  expect(fourth!.map((column) => [...column])).toEqual([
    [3, 3, 3, 3, 3],
    [3, 3, 3, 3, 3],
  ]);
  // What is large enough is used again, and not asked of the system.
  expect(fourth![0]!.buffer).toBe(asked[1]![0]!.buffer);
});
