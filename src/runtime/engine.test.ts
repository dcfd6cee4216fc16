import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningSum } from '../../test/support/running-sum.ts';
import { Engine } from './engine.ts';

const [one, two, three] = [1, 2, 3].map((times) => Float32Array.of(1, 10, 100).map((x) => times * x));

describe('what the compute thread hands over', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  it('is never the state itself, nor values that are held', async () => {
    const state = await engine.createState({ sum: new Float32Array(3) });
    const session = await engine.load(runningSum(), state);
    await session.hold({ x: one! });
    expect(await session.run({})).toEqual({ y: one });
    expect(await state.read()).toEqual({ sum: one });
    expect(await state.read()).toEqual({ sum: one });
    expect(await session.run({})).toEqual({ y: two });
    expect(await session.run({})).toEqual({ y: three });
    expect(await state.read()).toEqual({ sum: three });
  });

  it('leaves a state that is written anew or released to be used and made again', async () => {
    const shared = Float32Array.of(5, 6, 7);
    const state = await engine.createState({ sum: shared, best: shared });
    await state.write({ sum: one! });
    expect(await state.read()).toEqual({ sum: one });
    await state.release();
    const other = await engine.createState({ sum: shared, best: shared });
    expect(await other.read()).toEqual({ sum: shared, best: shared });
    await other.release();
  });

  it('fills its memory alone', async () => {
    const state = await engine.createState({ sum: new Float32Array(3) });
    const session = await engine.load(runningSum(), state);
    const { y } = await session.run({ x: one! });
    expect(await state.read(['another'])).toEqual({});
    const { sum } = await state.read(['sum']);
    expect([y!.buffer.byteLength, sum!.buffer.byteLength]).toEqual([12, 12]);
  });

  it('comes to the same from values that it was handed, which are gone here, and from copies', async () => {
    const state = await engine.createState({ sum: new Float32Array(3) });
    const session = await engine.load(runningSum(), state);
    const [copied, given, part] = [one!.slice(), one!.slice(), Float32Array.of(1, 10, 100, 7)];
    expect(await session.run({ x: copied })).toEqual({ y: one });
    expect(await session.run({}, { x: given })).toEqual({ y: two });
    expect(await session.run({}, { x: part.subarray(0, 3) })).toEqual({ y: three });
    expect([copied.length, given.length, part.length]).toEqual([3, 0, 4]);
  });
});
