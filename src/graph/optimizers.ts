/**
 * Optimisers as graph nodes. Each sees all parameters as one vector, so an update is a handful of nodes
 * whatever the model. The formulas are PyTorch's, which published settings refer to.
 */
import { add, addScaled, divide, multiply, squareRoot, subtract } from './operators/index.ts';
import { type FloatTensor, scalar } from './tensor.ts';

export interface Optimizer {
  readonly name: OptimizerConfig['name'];
  /** Names of the state vectors, each as long as the parameters and zero at the start. */
  readonly slots: readonly string[];
  /** The scalars to feed at step t = 1, 2, …: computed in double precision outside the graph. */
  scalars(step: number, learningRate: number): Readonly<Record<string, number>>;
  /**
   * New parameters and new slots, in the order of `slots`. All vectors are (P).
   * @param decays 1 for the parameters that weight decay shrinks, 0 for the others (P)
   */
  update(
    parameters: FloatTensor,
    gradient: FloatTensor,
    slots: readonly FloatTensor[],
    scalars: (name: string) => FloatTensor,
    decays: FloatTensor,
  ): { readonly parameters: FloatTensor; readonly slots: readonly FloatTensor[] };
}

export type OptimizerConfig =
  | { readonly name: 'adam' | 'adamw'; readonly weightDecay: number }
  | { readonly name: 'sgd'; readonly momentum: number; readonly weightDecay: number }
  | { readonly name: 'adagrad' };

export function createOptimizer(config: OptimizerConfig): Optimizer {
  switch (config.name) {
    case 'adam':
    case 'adamw':
      return adam(config.name, config.weightDecay);
    case 'sgd':
      return sgd(config.momentum, config.weightDecay);
    case 'adagrad':
      return adagrad();
  }
}

const beta1 = 0.9;
const beta2 = 0.999;
const adamEpsilon = 1e-8;

/** Kingma and Ba (2015), decay as L2 in the gradient; or decoupled from it, Loshchilov and Hutter (2019). */
function adam(name: 'adam' | 'adamw', weightDecay: number): Optimizer {
  return {
    name,
    slots: ['adam.m', 'adam.v'],
    scalars: (step, learningRate) => ({
      stepSize: learningRate / (1 - beta1 ** step),
      secondMomentScale: 1 / Math.sqrt(1 - beta2 ** step),
      decay: learningRate * weightDecay,
    }),
    update(parameters, gradient, slots, scalars, decays) {
      const [m, v] = slots;
      const shrinking = multiply(parameters, decays);
      const decayed =
        name === 'adamw' ? subtract(parameters, multiply(shrinking, scalars('decay'))) : parameters;
      const g = name === 'adam' && weightDecay > 0 ? addScaled(gradient, shrinking, weightDecay) : gradient;
      const newM = addScaled(multiply(m!, scalar(beta1)), g, 1 - beta1);
      const newV = addScaled(multiply(v!, scalar(beta2)), multiply(g, g), 1 - beta2);
      const deviation = add(multiply(squareRoot(newV), scalars('secondMomentScale')), scalar(adamEpsilon));
      const change = multiply(divide(newM, deviation), scalars('stepSize'));
      return { parameters: subtract(decayed, change), slots: [newM, newV] };
    },
  };
}

/** Gradient descent with Nesterov momentum, in the form of Sutskever et al. (2013) that PyTorch uses. */
function sgd(momentum: number, weightDecay: number): Optimizer {
  return {
    name: 'sgd',
    slots: ['sgd.momentum'],
    scalars: (_, learningRate) => ({ learningRate }),
    update(parameters, gradient, slots, scalars, decays) {
      const [velocity] = slots;
      const g = weightDecay > 0 ? addScaled(gradient, multiply(parameters, decays), weightDecay) : gradient;
      const newVelocity = addScaled(g, velocity!, momentum);
      const change = multiply(addScaled(g, newVelocity, momentum), scalars('learningRate'));
      return { parameters: subtract(parameters, change), slots: [newVelocity] };
    },
  };
}

const adagradEpsilon = 1e-10;

/** Duchi et al. (2011). */
function adagrad(): Optimizer {
  return {
    name: 'adagrad',
    slots: ['adagrad.sum'],
    scalars: (_, learningRate) => ({ learningRate }),
    update(parameters, gradient, slots, scalars) {
      const [squares] = slots;
      const newSquares = add(squares!, multiply(gradient, gradient));
      const change = divide(gradient, add(squareRoot(newSquares), scalar(adagradEpsilon)));
      return {
        parameters: subtract(parameters, multiply(change, scalars('learningRate'))),
        slots: [newSquares],
      };
    },
  };
}
