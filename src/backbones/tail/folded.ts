/** Tensors that depend on neither photos nor weights: shapes, axes, masks. ONNX Runtime itself computes them, for any operator. */
import {
  attributeTypes,
  elementTypes,
  encodeModel,
  type ModelProto,
  type NodeProto,
} from '../../graph/onnx-schema.ts';
import { floats } from '../../runtime/engine.ts';
import type { DataType, TensorDescription } from '../../runtime/model.ts';
import { ModelError } from '../../runtime/model-error.ts';
import type { NamedValues, Values } from '../../runtime/protocol.ts';
import type { Trial } from '../../runtime/trial.ts';
import { BackboneFault } from '../errors.ts';

/** As it is for any number of photos. */
export interface Folded {
  /** null where it differs with the number of photos. */
  readonly shape: readonly number[] | null;
  readonly floats: Float32Array;
  readonly integers: readonly number[];
  /** Whether each grows with the number of photos: then it is so many for each of them. */
  readonly grows: readonly boolean[];
  /** Whether some differ in another way. */
  readonly varies: boolean;
}

/** Numbers in all of them. */
const mostNumbers = 2 ** 26;

/** The numbers of photos that they are computed for. */
const [few, more] = [2, 3];

/**
 * @param core from `pixels` on
 * @param names of tensors in it
 * @param pixels of two photos, @param lengths of one
 * @throws BackboneFault where they cannot be computed for several photos at a time
 */
export async function foldedOf(
  core: ModelProto,
  names: readonly string[],
  pixels: Values,
  lengths: readonly number[],
  trial: Trial,
): Promise<ReadonlyMap<string, Folded>> {
  if (names.length === 0) return new Map();
  const type: DataType = pixels instanceof Uint8Array ? 'uint8' : 'float32';
  const outputs = names.flatMap((_, index): [string, TensorDescription][] => [
    [`float${index}`, { type: 'float32', shape: [] }],
    [`integer${index}`, { type: 'int64', shape: [] }],
    [`shape${index}`, { type: 'int64', shape: [] }],
  ]);
  const model = {
    encode: () => encodeModel(withOutputs(core, names)),
    inputs: { pixels: { type, shape: [1, ...lengths] } },
    outputs: Object.fromEntries(outputs),
  };
  const size = pixels.length / few;
  const three = pixels instanceof Uint8Array ? new Uint8Array(more * size) : new Float32Array(more * size);
  three.set(Array.from(pixels, Number));
  const results = await trial.run(model, [{ pixels }, { pixels: three }]).catch((error: unknown) => {
    if (!(error instanceof ModelError)) throw error;
    const problem = `it does not compute several photos at a time (${error.message.split('\n', 1)[0]}), so it cannot be trained.`;
    throw new BackboneFault(problem, 'Export the model with a dynamic batch axis, or leave it frozen.');
  });
  const [first, second] = results;
  if (first === undefined || second === undefined) throw new Error('a trial gave too few results');
  const total = Object.values(second).reduce((sum, { length }) => sum + length, 0);
  if (total > mostNumbers) {
    const problem = `its constants behind the cut have ${total} numbers, more than ${mostNumbers}.`;
    throw new BackboneFault(problem, 'Choose a later cut in `fineTune.from`.', 'LIMIT_EXCEEDED');
  }
  return new Map(names.map((name, index) => [name, foldedFrom(first, second, index)]));
}

function withOutputs(core: ModelProto, names: readonly string[]): ModelProto {
  const cast = (input: string, output: string, to: number): NodeProto => ({
    opType: 'Cast',
    input: [input],
    output: [output],
    attribute: [{ name: 'to', type: attributeTypes.int, i: to }],
  });
  const { float32, int64 } = elementTypes;
  const node = names.flatMap((name, index): NodeProto[] => [
    cast(name, `float${index}`, float32),
    cast(name, `integer${index}`, int64),
    { opType: 'Shape', input: [name], output: [`shape${index}`] },
  ]);
  const output = node.map(({ output: [name = ''] }) => ({
    name,
    type: { tensorType: { elemType: name.startsWith('float') ? float32 : int64 } },
  }));
  return { ...core, graph: { ...core.graph, node: [...core.graph.node, ...node], output } };
}

function foldedFrom(first: NamedValues, second: NamedValues, index: number): Folded {
  const numbersOf = (result: NamedValues, name: string) =>
    Array.from(result[`${name}${index}`] ?? [], Number);
  const [shape, otherShape] = [numbersOf(first, 'shape'), numbersOf(second, 'shape')];
  const [integers, others] = [numbersOf(first, 'integer'), numbersOf(second, 'integer')];
  const [values, otherValues] = [floats(first, `float${index}`), floats(second, `float${index}`)];
  const same =
    shape.length === otherShape.length && shape.every((length, axis) => length === otherShape[axis]);
  const grows = integers.map((value, at) => value !== others[at] && value * more === (others[at] ?? 0) * few);
  return {
    shape: same ? shape : null,
    floats: values,
    integers: integers.map((value, at) => (grows[at] === true ? value / few : value)),
    grows,
    varies: !same || values.some((value, at) => grows[at] !== true && !Object.is(value, otherValues[at])),
  };
}
