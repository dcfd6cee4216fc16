import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildModel } from '../graph/onnx.ts';
import { parametersOf } from '../graph/parameters.ts';
import { input, sizeOf, type Tensor } from '../graph/tensor.ts';
import { Random } from '../random.ts';
import { Engine, floats } from '../runtime/engine.ts';
import { attention } from './din.ts';

const [batch, places, width] = [5, 4, 3];

describe('attention', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  it.each([
    { with: 'ids alone', ids: 4, visual: 0, pieces: 0 },
    { with: 'photos', ids: 4, visual: 2, pieces: 0 },
    { with: 'nearness', ids: 4, visual: 0, pieces: 5 },
    { with: 'photos and nearness', ids: 4, visual: 2, pieces: 5 },
  ])('is the formula, place by place, with $with', async ({ ids, visual, pieces }) => {
    const items = (lead: readonly number[], name: string) => ({
      ids: input(`${name}.ids`, 'float32', [...lead, ids]),
      visual: visual === 0 ? null : input(`${name}.visual`, 'float32', [...lead, visual]),
    });
    const mask = input('mask', 'float32', [batch, places]);
    const near = pieces === 0 ? null : input('nearness', 'float32', [batch, places, pieces]);
    const weights = attention(
      items([batch], 'candidate'),
      items([batch, places], 'history'),
      mask,
      near,
      width,
    );
    const parameters = parametersOf([weights]);
    const stands = parameters.map((tensor): [Tensor, Tensor] => {
      const name = tensor.source.kind === 'parameter' ? tensor.source.name : '';
      return [tensor, input(name, 'float32', tensor.shape)];
    });
    const model = buildModel({ outputs: { weights }, bindings: new Map(stands) });
    const random = Random.seeded(1, 'attention');
    const feeds = Object.fromEntries(
      Object.entries(model.inputs).map(([name, { shape }]) => [
        name,
        Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
      ]),
    );
    feeds['mask'] = Float32Array.from({ length: batch * places }, (_, index) =>
      index % places < Math.floor(index / places) ? 1 : 0,
    );
    const session = await engine.load(model);
    const given = floats(await session.run(feeds), 'weights');
    const expected = weighed(feeds, ids, visual, pieces);
    expect(expected.filter((value) => value !== 0)).toHaveLength(0 + 1 + 2 + 3 + 4);
    expect(given).toHaveLength(expected.length);
    for (const [index, value] of expected.entries()) expect(given[index]).toBeCloseTo(value, 4);
  });

  it('keeps what photos add behind the columns of ids', () => {
    const items = (lead: readonly number[], visual: number | null) => ({
      ids: input('ids', 'float32', [...lead, 4]),
      visual: visual === null ? null : input('visual', 'float32', [...lead, visual]),
    });
    const shapesWith = (visual: number | null, pieces: number | null = null) => {
      const mask = input('mask', 'float32', [batch, places]);
      const near = pieces === null ? null : input('nearness', 'float32', [batch, places, pieces]);
      const weights = attention(items([batch], visual), items([batch, places], visual), mask, near, width);
      return parametersOf([weights]).map(({ source, shape }) => [
        source.kind === 'parameter' && source.name,
        shape,
      ]);
    };
    expect(shapesWith(null)).toEqual([
      ['attention.candidate', [3, 4]],
      ['attention.output.bias', [1]],
      ['attention.output.weight', [1, 3]],
      ['attention.pair.bias', [3]],
      ['attention.pair.weight', [3, 8]],
    ]);
    expect(shapesWith(2).at(-1)).toEqual(['attention.pair.weight', [3, 12]]);
    expect(shapesWith(null, 5).at(-1)).toEqual(['attention.pair.weight', [3, 13]]);
  });
});

/** v · relu(W [h, h ⊙ c, hᵥ, hᵥ ⊙ cᵥ, s] + b + U [c, cᵥ]) + a for each place, and 0 for padding. */
function weighed(
  feeds: Readonly<Record<string, Float32Array>>,
  ids: number,
  visual: number,
  pieces: number,
): number[] {
  const at = (name: string, index: number) => feeds[name]?.[index] ?? Number.NaN;
  const row = (name: string, index: number, length: number) =>
    Array.from({ length }, (_, place) => at(name, index * length + place));
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((total, value, index) => total + value * b[index]!, 0);
  return Array.from({ length: batch * places }, (_, index) => {
    if (at('mask', index) === 0) return 0;
    const exposure = Math.floor(index / places);
    const [c, seen] = [row('candidate.ids', exposure, ids), row('candidate.visual', exposure, visual)];
    const [h, shown] = [row('history.ids', index, ids), row('history.visual', index, visual)];
    const times = (a: readonly number[], b: readonly number[]) => a.map((value, place) => value * b[place]!);
    const near = row('nearness', index, pieces);
    const pair = [...h, ...times(h, c), ...shown, ...times(shown, seen), ...near];
    const target = [...c, ...seen];
    const hidden = Array.from({ length: width }, (_, unit) => {
      const fromPair = dot(row('attention.pair.weight', unit, pair.length), pair);
      const fromCandidate = dot(row('attention.candidate', unit, target.length), target);
      return Math.max(0, fromPair + at('attention.pair.bias', unit) + fromCandidate);
    });
    return dot(row('attention.output.weight', 0, width), hidden) + at('attention.output.bias', 0);
  });
}
