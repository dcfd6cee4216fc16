/** What is learned on top of a pretrained network: a small map of features that were computed before. */
import { affineParameters } from '../graph/layers.ts';
import { add, linear, project, relu } from '../graph/operators/index.ts';
import { zeros } from '../graph/parameters.ts';
import { type Initializer, parameter, sizeOf } from '../graph/tensor.ts';
import type { Encoder } from './encoder.ts';

export interface FeatureHeadConfig {
  /** Numbers of a photo that it is given: k. */
  readonly components: number;
  /** Width of its hidden layer. */
  readonly hidden: number;
  readonly dimension: number;
}

/**
 * Straight through, which begins as the leading components, and a perceptron beside it, which begins with nothing to say: before
 * anything is learned, embeddings are the features themselves. Begun at random it would first have to find its way back there.
 * Letters in shapes: B photos, k components, W hidden width, d dimension.
 */
export function featureHead({ components, hidden, dimension }: FeatureHeadConfig): Encoder {
  return {
    sees: { type: 'float32', shape: [components] },
    dimension,
    forward(features) {
      if (features.type !== 'float32') throw new Error('a head is given features, not pixels');
      const bent = affineParameters('encoder.hidden', components, hidden);
      const straight = parameter('encoder.straight.weight', [dimension, components], leading);
      const output = parameter('encoder.output.weight', [dimension, hidden], zeros);
      return add(
        project(features, straight),
        project(relu(linear(features, bent.weight, bent.bias)), output),
      ); // (B, d)
    },
  };
}

/** The leading inputs as they are; outputs beyond them are zero. */
const leading: Initializer = (shape) => {
  const [outputs = 1, inputs = 1] = shape;
  const values = new Float32Array(sizeOf(shape));
  for (let place = 0; place < Math.min(outputs, inputs); place++) values[place * inputs + place] = 1;
  return values;
};
