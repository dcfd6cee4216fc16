/** Small networks between an embedding and a loss, which are thrown away after training. */
import { affineParameters } from '../graph/layers.ts';
import { l2Normalize, linear, relu } from '../graph/operators/index.ts';
import type { FloatTensor } from '../graph/tensor.ts';

type Transform = (x: FloatTensor) => FloatTensor;

/** The projection head of SimCLR (Chen et al., 2020): a perceptron, then unit length. (…, I) → (…, d), by default I = d */
export function createProjector(name: string, width: number, inputs = width): Transform {
  const map = createPerceptron(name, inputs, width, width);
  return (x) => l2Normalize(map(x));
}

/** Linear, ReLU, linear. (…, I) → (…, O) */
export function createPerceptron(name: string, inputs: number, hidden: number, outputs: number): Transform {
  const first = affineParameters(`${name}.hidden`, inputs, hidden);
  const second = affineParameters(`${name}.output`, hidden, outputs);
  return (x) => linear(relu(linear(x, first.weight, first.bias)), second.weight, second.bias);
}
