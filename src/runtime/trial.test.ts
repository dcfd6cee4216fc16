import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelFile, node, value } from '../../test/support/onnx-graphs.ts';
import { elementTypes } from '../graph/onnx-schema.ts';
import type { Model } from './model.ts';
import { ModelError } from './model-error.ts';
import { Trial } from './trial.ts';

/** y = x + x. */
const doubling: Model = {
  encode: () =>
    modelFile({
      input: [value('x', ['n'])],
      node: [node('Add', ['x', 'x'], ['y'])],
      output: [value('y', ['n'])],
    }),
  inputs: { x: { type: 'float32', shape: [1] } },
  outputs: { y: { type: 'float32', shape: [1] } },
};

/** Counts to 2^62. */
function endless(): Model {
  const scalar = (name: string, type: number, bytes: Uint8Array) => ({
    name,
    dims: [],
    dataType: type,
    rawData: bytes,
  });
  const body = {
    name: 'body',
    node: [node('Identity', ['go'], ['going']), node('Identity', ['before'], ['after'])],
    initializer: [],
    input: [
      value('step', [], elementTypes.int64),
      value('go', [], elementTypes.bool),
      value('before', ['n']),
    ],
    output: [value('going', [], elementTypes.bool), value('after', ['n'])],
  };
  const loop = {
    ...node('Loop', ['steps', 'always', 'x'], ['y']),
    attribute: [{ name: 'body', type: 5, g: body }],
  };
  const steps = new Uint8Array(BigInt64Array.of(2n ** 62n).buffer);
  const initializer = [
    scalar('steps', elementTypes.int64, steps),
    scalar('always', elementTypes.bool, Uint8Array.of(1)),
  ];
  return {
    ...doubling,
    encode: () =>
      modelFile({ input: [value('x', ['n'])], node: [loop], initializer, output: [value('y', ['n'])] }),
  };
}

describe('a process that tries models', () => {
  let trial: Trial;
  beforeEach(() => {
    trial = new Trial(3);
  });
  afterEach(() => trial.close());

  it('gives what a model gives for each of the feeds', async () => {
    const results = await trial.run(doubling, [{ x: Float32Array.of(1, 2) }, { x: Float32Array.of(3) }]);
    expect(results).toEqual([{ y: Float32Array.of(2, 4) }, { y: Float32Array.of(6) }]);
  });

  it('ends with a model that never does, and begins anew for the next', async () => {
    const feeds = [{ x: Float32Array.of(1) }];
    const failure = await trial.run(endless(), feeds).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ModelError);
    expect(failure).toMatchObject({ message: 'it was not done after 3 s' });
    expect(await trial.run(doubling, feeds)).toEqual([{ y: Float32Array.of(2) }]);
  });

  it('calls what ONNX Runtime does not take a fault of the model, and goes on', async () => {
    const broken = { ...doubling, encode: () => new Uint8Array(8) };
    await expect(trial.run(broken, [])).rejects.toBeInstanceOf(ModelError);
    expect(await trial.run(doubling, [])).toEqual([]);
  });
});
