import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { modelFile, node, value } from '../../../test/support/onnx-graphs.ts';
import { LinearMemory } from '../../rankers/linear-memory.ts';
import { Engine } from '../engine.ts';
import type { Model } from '../model.ts';
import type { NamedValues } from '../protocol.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** sum = a + b, over so many numbers that each array is a piece of memory of its own, which is gone when it is freed. */
const length = 2 ** 16;
const numbers = { type: 'float32', shape: [length] } as const;
const sum: Model = {
  encode: () =>
    modelFile({
      input: [value('a', [length]), value('b', [length])],
      node: [node('Add', ['a', 'b'], ['sum'])],
      output: [value('sum', [length])],
    }),
  inputs: { a: numbers, b: numbers },
  outputs: { sum: numbers },
};

const full = (x: number) => new Float32Array(length).fill(x);

/** Compares them itself: Vitest takes long for that many. */
function expectFull({ sum: values }: NamedValues, x: number): void {
  expect([values?.length, values?.findIndex((each) => each !== x)]).toEqual([length, -1]);
}

it('holds what a run reads and writes until it ends: garbage is collected, memories grow, values that were held are replaced', async () => {
  const engine = Engine.start({ threads: 1, binding: 'c-api' });
  const sessions = [await engine.load(sum), await engine.load(sum)];
  const memory = new LinearMemory();
  const running: Promise<unknown>[] = [];
  for (let x = 0; x < 24; x++) {
    const session = sessions[x % 2]!;
    const ofTable = memory.floats(length).fill(x);
    running.push(
      session.hold({ b: full(x) }),
      session.run({ a: full(x) }).then((results) => expectFull(results, 2 * x)),
      session.run({}, { a: full(7) }).then((results) => expectFull(results, 7 + x)),
      session
        .run({ a: ofTable }, {}, x < 2 ? {} : { sum: memory.floats(length) })
        .then((results) => expectFull(results, 2 * x)),
    );
    if (x === 1) await Promise.all(running);
    if (x % 8 === 0) collectGarbage();
  }
  await Promise.all(running);
  await engine.close();
});

it('ends while runs wait, sessions are released under them and garbage is collected, and answers each of them', async () => {
  for (let round = 0; round < 2; round++) {
    const engine = Engine.start({ threads: 1, binding: 'c-api' });
    const [first, second] = [await engine.load(sum), await engine.load(sum)];
    const runs = Array.from({ length: 10 }, (_, x) =>
      [first, second].map((session) => session.run({ a: full(x) }, { b: full(1) })),
    ).flat();
    const settled = Promise.allSettled([first.release(), ...runs, first.run({ a: full(1), b: full(1) })]);
    if (round % 2 === 0) await runs[4];
    await engine.close();
    collectGarbage();
    for (const result of await settled) {
      if (result.status === 'rejected') expect(String(result.reason)).toMatch(/ended|released|terminate/i);
    }
  }
});

it('takes one array for two inputs, given and handed over', async () => {
  const engine = Engine.start({ threads: 1, binding: 'c-api' });
  const session = await engine.load(sum);
  const a = full(3);
  expectFull(await session.run({ a, b: a }), 6);
  expectFull(await session.run({}, { a, b: a }), 6);
  await engine.close();
});
