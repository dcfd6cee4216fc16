import { describe, expect, it } from 'vitest';
import { productModel, side } from '../runtime/product-model.ts';
import { buildModel } from './onnx.ts';
import { decodeModel } from './onnx-schema.ts';
import { apply } from './operator.ts';
import { input } from './tensor.ts';

describe('a graph of one product', () => {
  it('is written as the model that devices are tried with', () => {
    const inputs = [input('a', 'float32', [side, side]), input('b', 'float32', [side, side])];
    const y = apply({ type: 'MatMul', inputs, gradient: null }, 'float32', [side, side]);
    expect(decodeModel(productModel)).toEqual(decodeModel(buildModel({ outputs: { y } }).encode('standard')));
  });
});
