import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceDir } from '../../test/support/reference.ts';
import { Engine } from '../runtime/engine.ts';
import { floatTensor, readSafeTensors } from '../storage/safetensors.ts';
import { buildModel } from './onnx.ts';
import { add, multiply, reshape, sumAll } from './operators/index.ts';
import { createOptimizer, type OptimizerConfig } from './optimizers.ts';
import { ones } from './parameters.ts';
import { input, parameter } from './tensor.ts';
import { buildTrainingStep, scalarFeeds } from './training-step.ts';

/** The settings that a reference file states in its metadata. */
function configOf(name: string, metadata: Readonly<Record<string, string>>): OptimizerConfig {
  const setting = (key: string) => Number(metadata[key] ?? Number.NaN);
  if (name === 'adam' || name === 'adamw') return { name, weightDecay: setting('weight_decay') };
  if (name === 'sgd') return { name, momentum: setting('momentum'), weightDecay: setting('weight_decay') };
  return { name: 'adagrad' };
}

describe('optimizers', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1 });
  });
  afterAll(() => engine.close());

  it.each(['adam', 'adamw', 'sgd', 'adagrad'])('%s follows PyTorch over five steps', async (name) => {
    const reference = await readSafeTensors(
      join(referenceDir(), `optimizer-${name}.safetensors`),
      'Reference',
    );
    const optimizer = createOptimizer(configOf(name, reference.metadata));
    const start = floatTensor(reference, 'start');
    const shape = [start.data.length, 1];
    const weight = parameter('layer.weight', shape, ones);
    // The gradient of Σ weight · g with respect to the weight is g.
    const loss = sumAll(multiply(weight, input('g', 'float32', shape)));
    const step = buildTrainingStep(loss, { optimizer, clipNorm: null });
    const slots = optimizer.slots.map((slot) => [slot, new Float32Array(start.data.length)]);
    const state = await engine.createState({ parameters: start.data, ...Object.fromEntries(slots) });
    const session = await engine.load(step.model, state);
    for (let count = 0; count < 5; count++) {
      const g = floatTensor(reference, `grad.${count}`).data;
      const scalars = scalarFeeds(optimizer, count + 1, Number(reference.metadata['lr']));
      await session.run({ g, ...scalars });
      const { parameters } = await state.read();
      const expected = floatTensor(reference, `after.${count}`).data;
      expect(expected.length).toBe(12);
      for (const [index, value] of expected.entries()) expect(parameters![index]).toBeCloseTo(value, 5);
    }
  });

  it('scale a gradient that is longer than the limit down to it, and leave a shorter one', async () => {
    const optimizer = createOptimizer({ name: 'sgd', momentum: 0, weightDecay: 0 });
    const loss = sumAll(multiply(parameter('weight', [2], ones), input('g', 'float32', [2])));
    const step = buildTrainingStep(loss, { optimizer, clipNorm: 1 });
    const state = await engine.createState({
      parameters: new Float32Array(2),
      'sgd.momentum': new Float32Array(2),
    });
    const session = await engine.load(step.model, state);
    await session.run({ g: Float32Array.of(3, 4), ...scalarFeeds(optimizer, 1, 1) });
    const long = await state.read();
    expect([...long['parameters']!]).toEqual([expect.closeTo(-0.6, 6), expect.closeTo(-0.8, 6)]);
    await session.run({ g: Float32Array.of(0.3, 0.4), ...scalarFeeds(optimizer, 2, 1) });
    const short = await state.read();
    expect([...short['parameters']!]).toEqual([expect.closeTo(-0.9, 6), expect.closeTo(-1.2, 6)]);
  });

  it('shrink matrices by weight decay, not biases and norms', async () => {
    const optimizer = createOptimizer({ name: 'adamw', weightDecay: 0.5 });
    const [matrix, bias] = [parameter('a.weight', [1, 1], ones), parameter('a.bias', [1], ones)];
    const norm = parameter('norm.weight', [1], ones);
    const unused = multiply(add(add(reshape(matrix, [1]), bias), norm), input('g', 'float32', [1]));
    const step = buildTrainingStep(sumAll(unused), { optimizer, clipNorm: null });
    const slots = { 'adam.m': new Float32Array(3), 'adam.v': new Float32Array(3) };
    const state = await engine.createState({ parameters: Float32Array.of(1, 1, 1), ...slots });
    const session = await engine.load(step.model, state);
    await session.run({ g: Float32Array.of(0), ...scalarFeeds(optimizer, 1, 0.1) });
    const names = step.layout.places.map(({ name }) => name);
    expect(names).toEqual(['a.bias', 'a.weight', 'norm.weight']);
    expect([...(await state.read())['parameters']!]).toEqual([1, expect.closeTo(0.95, 6), 1]);
  });

  it('build the same model bytes from the same description', () => {
    const build = () => {
      const loss = sumAll(multiply(parameter('weight', [2], ones), input('g', 'float32', [2])));
      return buildTrainingStep(loss, {
        optimizer: createOptimizer({ name: 'adagrad' }),
        clipNorm: 1,
      }).model.encode('fused');
    };
    expect(Buffer.from(build()).equals(Buffer.from(build()))).toBe(true);
  });

  it('refuse a model with a parameter that has no value', () => {
    expect(() => buildModel({ outputs: { y: parameter('weight', [2], ones) } })).toThrow('weight');
  });
});
