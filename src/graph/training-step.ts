/** One training step as one model: forward, backward, clipping and the optimiser. */
import { gradients } from './differentiate.ts';
import { buildModel, type Model } from './onnx.ts';
import { add, concatenate, divide, multiply, relu, reshape, squareRoot, sumAll } from './operators/index.ts';
import type { Optimizer } from './optimizers.ts';
import { bindToVector, layoutOf, namedParts, type ParameterLayout, parametersOf } from './parameters.ts';
import { constant, type FloatTensor, input, scalar, type Tensor } from './tensor.ts';

export interface TrainingStep {
  readonly model: Model;
  readonly layout: ParameterLayout;
  readonly parameters: readonly FloatTensor[];
  readonly optimizer: Optimizer;
}

interface TrainingStepOptions {
  readonly optimizer: Optimizer;
  /** Gradients longer than this are scaled down to it; null leaves them. */
  readonly clipNorm: number | null;
  /** Further tensors to compute and hand out at each step. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** Inputs whose gradients are handed out as `gradient.<name>`, such as gathered embedding rows. */
  readonly inputGradients?: Readonly<Record<string, FloatTensor>>;
  /** Inputs whose first axis may differ from step to step, with the axis' name. */
  readonly openAxes?: Readonly<Record<string, string>>;
}

/**
 * The model has the inputs of `loss`, the optimiser's scalars, and as state the vectors `parameters` and
 * the optimiser's slots. It gives `loss`, `gradientNorm`, `outputs`, and the state's next values.
 */
export function buildTrainingStep(loss: FloatTensor, options: TrainingStepOptions): TrainingStep {
  const { optimizer, clipNorm, outputs = {}, inputGradients = {}, openAxes = {} } = options;
  const parameters = parametersOf([loss]);
  const layout = layoutOf(parameters);
  const named = Object.entries(inputGradients);
  const all = gradients(loss, [...parameters, ...named.map(([, tensor]) => tensor)]);
  const flat = concatenate(
    all.slice(0, parameters.length).map((gradient, index) => reshape(gradient, [layout.places[index]!.size])),
    0,
  );
  const norm = squareRoot(sumAll(multiply(flat, flat)));
  const clipped = clipNorm === null ? flat : divide(flat, excess(norm, clipNorm));

  const vector = input('parameters', 'float32', [layout.size]);
  const slots = optimizer.slots.map((slot) => input(slot, 'float32', [layout.size]));
  const scalars = new Map(
    Object.keys(optimizer.scalars(1, 1)).map((name) => [name, input(name, 'float32', [])]),
  );
  const next = optimizer.update(vector, clipped, slots, (name) => scalars.get(name)!);
  const model = buildModel({
    outputs: {
      loss,
      gradientNorm: norm,
      ...outputs,
      ...Object.fromEntries(
        named.map(([name], index) => [`gradient.${name}`, all[parameters.length + index]!]),
      ),
      'next.parameters': next.parameters,
      ...Object.fromEntries(optimizer.slots.map((slot, index) => [`next.${slot}`, next.slots[index]!])),
    },
    bindings: bindToVector(parameters, layout, vector),
    openAxes,
  });
  return { model, layout, parameters, optimizer };
}

/** max(1, norm / limit). */
function excess(norm: FloatTensor, limit: number): FloatTensor {
  return add(relu(add(multiply(norm, scalar(1 / limit)), scalar(-1))), scalar(1));
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

/** A model that computes outputs from the state vector `parameters` of a training step, without training. */
export function buildInference(
  outputs: Readonly<Record<string, Tensor>>,
  layout: ParameterLayout,
  openAxes: Readonly<Record<string, string>> = {},
): Model {
  const vector = input('parameters', 'float32', [layout.size]);
  const bindings = bindToVector(parametersOf(Object.values(outputs)), layout, vector);
  return buildModel({ outputs, bindings, openAxes });
}

/** A self-contained model: the parameters' values (P) are written into it. */
export function buildExport(
  outputs: Readonly<Record<string, Tensor>>,
  layout: ParameterLayout,
  values: Float32Array,
  openAxes: Readonly<Record<string, string>>,
): Model {
  const parts = namedParts(layout, values);
  const bindings = new Map(
    parametersOf(Object.values(outputs)).map((tensor): [Tensor, Tensor] => {
      const value = tensor.source.kind === 'parameter' ? parts.get(tensor.source.name) : undefined;
      if (value === undefined) throw new Error('an exported parameter has no value');
      return [tensor, constant('float32', value, tensor.shape)];
    }),
  );
  return buildModel({ outputs, bindings, openAxes });
}
