/** Models of training: a whole step in one, or the parts of a step whose batch is too large for that. */

import type { Model } from '../runtime/model.ts';
import { gradients, nodesInOrder, pullBack } from './differentiate.ts';
import { buildModel } from './onnx.ts';
import { add, concatenate, reshape, split, zerosLike } from './operators/index.ts';
import type { Optimizer } from './optimizers.ts';
import { bindToVector, layoutOf, namedParts, type ParameterLayout, parametersOf } from './parameters.ts';
import { constant, type FloatTensor, input, type Tensor } from './tensor.ts';
import { parameterVector, type UpdateOptions, updateOutputs } from './update.ts';

export interface TrainingStep {
  readonly model: Model;
  readonly layout: ParameterLayout;
  readonly parameters: readonly FloatTensor[];
  readonly optimizer: Optimizer;
}

interface TrainingStepOptions extends UpdateOptions {
  /** Further tensors to compute and hand out at each step. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** Inputs whose gradients are handed out as `gradient.<name>`, such as gathered embedding rows. */
  readonly inputGradients?: Readonly<Record<string, FloatTensor>>;
  /** Inputs whose first axis may differ from step to step, with the axis' name. */
  readonly openAxes?: Readonly<Record<string, string>>;
}

/**
 * Forward, backward, clipping and the optimiser in one model. It has the inputs of `loss`, the optimiser's
 * scalars, and the state vectors of `updateOutputs`. It gives `loss`, `gradientNorm`, `outputs`, and the state's
 * next values.
 */
export function buildTrainingStep(loss: FloatTensor, options: TrainingStepOptions): TrainingStep {
  const { outputs = {}, inputGradients = {}, openAxes = {} } = options;
  const parameters = parametersOf([loss]);
  const layout = layoutOf(parameters);
  const named = Object.entries(inputGradients);
  const all = gradients(loss, [...parameters, ...named.map(([, tensor]) => tensor)]);
  const flat = concatenate(
    all.slice(0, parameters.length).map((gradient, index) => reshape(gradient, [layout.places[index]!.size])),
    0,
  );
  const model = buildModel({
    outputs: {
      loss,
      ...outputs,
      ...Object.fromEntries(
        named.map(([name], index) => [`gradient.${name}`, all[parameters.length + index]!]),
      ),
      ...updateOutputs(flat, layout, options),
    },
    bindings: bindToVector(parameters, layout, parameterVector(layout)),
    openAxes,
  });
  return { model, layout, parameters, optimizer: options.optimizer };
}

/** State vector in which the parts of a step sum the gradients of the parameters. (P) */
export const gradientState = 'gradient';

/**
 * A part of a step: adds d(output · seed)/d(parameters) to the state vector `gradient`, and gives `outputs` and
 * the gradients of inputs as `buildTrainingStep` does.
 */
export function buildGradientPart(
  output: FloatTensor,
  seed: FloatTensor,
  layout: ParameterLayout,
  options: Pick<TrainingStepOptions, 'outputs' | 'inputGradients' | 'openAxes'>,
): Model {
  const { outputs = {}, inputGradients = {}, openAxes = {} } = options;
  const parameters = parametersOf([output]);
  const named = Object.entries(inputGradients);
  const targets = [...parameters, ...named.map(([, tensor]) => tensor)];
  const found = pullBack(nodesInOrder([output]), output, seed, targets);
  const own = layoutOf(parameters).places;
  const byName = new Map(own.map(({ name }, index) => [name, found[index]]));
  const before = split(
    input(gradientState, 'float32', [layout.size]),
    layout.places.map(({ size }) => size),
    0,
  );
  const after = layout.places.map(({ name, size }, index) => {
    const gradient = byName.get(name);
    return gradient === undefined ? before[index]! : add(before[index]!, reshape(gradient, [size]));
  });
  return buildModel({
    outputs: {
      ...outputs,
      ...gradientsByName(named, found.slice(parameters.length)),
      [`next.${gradientState}`]: concatenate(after, 0),
    },
    bindings: bindToVector(parameters, layout, parameterVector(layout)),
    openAxes,
  });
}

interface GradientOptions extends Pick<TrainingStepOptions, 'outputs' | 'inputGradients' | 'openAxes'> {
  /** Inputs that bring what another model has computed, by what it is in the graph. */
  readonly given?: ReadonlyMap<Tensor, Tensor>;
  /** Of which parameters the gradient is: all of the layout without it. */
  readonly of?: ParameterLayout;
}

/**
 * d(output · seed)/d(parameters) as one vector `gradient` (P), zero for parameters that it does not depend on; none of no
 * parameters. Beside it `outputs` and the gradients of inputs as `buildTrainingStep` gives them.
 */
export function buildGradient(
  output: FloatTensor,
  seed: FloatTensor,
  layout: ParameterLayout,
  { outputs = {}, inputGradients = {}, openAxes = {}, given = new Map(), of = layout }: GradientOptions,
): Model {
  const parameters = parametersOf([output]);
  const named = Object.entries(inputGradients);
  const targets = [...parameters, ...named.map(([, tensor]) => tensor)];
  const found = pullBack(nodesInOrder([output]), output, seed, targets);
  const byName = new Map(layoutOf(parameters).places.map(({ name }, index) => [name, found[index]]));
  const parts = of.places.map(({ name, size }) => {
    const gradient = byName.get(name);
    return gradient === undefined
      ? constant('float32', new Float32Array(size), [size])
      : reshape(gradient, [size]);
  });
  return buildModel({
    outputs: {
      ...outputs,
      ...gradientsByName(named, found.slice(parameters.length)),
      ...(parts.length === 0 ? {} : { gradient: concatenate(parts, 0) }),
    },
    bindings: new Map([...bindToVector(parameters, layout, parameterVector(layout)), ...given]),
    openAxes,
  });
}

function gradientsByName(
  named: readonly (readonly [string, FloatTensor])[],
  found: readonly (FloatTensor | undefined)[],
): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(
    named.map(([name], index) => {
      const gradient = found[index];
      if (gradient === undefined) throw new Error(`the output does not depend on ${name}`);
      return [`gradient.${name}`, gradient];
    }),
  );
}

/**
 * The last part of a step: the optimiser, with the summed gradient, which it sets back to zero.
 * @param name of the gradient that it takes, where that is not the sum itself
 */
export function buildUpdate(layout: ParameterLayout, options: UpdateOptions, name = gradientState): Model {
  const gradient = input(name, 'float32', [layout.size]);
  const outputs = updateOutputs(gradient, layout, options);
  return buildModel({ outputs: { ...outputs, [`next.${gradientState}`]: zerosLike(gradient) } });
}

/** The scalars of a step as the model takes them. */
export function scalarFeeds(
  optimizer: Optimizer,
  step: number,
  learningRate: number,
): Record<string, Float32Array> {
  const scalars = Object.entries(optimizer.scalars(step, learningRate));
  return Object.fromEntries(scalars.map(([name, value]) => [name, Float32Array.of(value)]));
}

/**
 * A model that computes outputs from a state vector of a training step, without training.
 * @param name of the vector: the parameters themselves, or their average
 */
export function buildInference(
  outputs: Readonly<Record<string, Tensor>>,
  layout: ParameterLayout,
  openAxes: Readonly<Record<string, string>> = {},
  name = 'parameters',
): Model {
  const vector = input(name, 'float32', [layout.size]);
  const bindings = bindToVector(parametersOf(Object.values(outputs)), layout, vector);
  return buildModel({ outputs, bindings, openAxes });
}

/**
 * A self-contained model: the parameters' values (P) are written into it.
 * @param metadata texts that the file carries beside the graph
 */
export function buildExport(
  outputs: Readonly<Record<string, Tensor>>,
  layout: ParameterLayout,
  values: Float32Array,
  openAxes: Readonly<Record<string, string>>,
  metadata: Readonly<Record<string, string>> = {},
): Model {
  const parts = namedParts(layout, values);
  const bindings = new Map(
    parametersOf(Object.values(outputs)).map((tensor): [Tensor, Tensor] => {
      const value = tensor.source.kind === 'parameter' ? parts.get(tensor.source.name) : undefined;
      if (value === undefined) throw new Error('an exported parameter has no value');
      return [tensor, constant('float32', value, tensor.shape)];
    }),
  );
  return buildModel({ outputs, bindings, openAxes, metadata });
}
