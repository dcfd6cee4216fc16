/** The part of a graph behind a cut, read into our own tensors: what it gives can be differentiated. */
import type { ModelProto, NodeProto } from '../../graph/onnx-schema.ts';
import { type FloatTensor, sizeOf } from '../../graph/tensor.ts';
import type { Values } from '../../runtime/protocol.ts';
import type { Trial } from '../../runtime/trial.ts';
import { namesTaken } from '../core.ts';
import { BackboneFault } from '../errors.ts';
import { domainOf } from '../nodes.ts';
import { Call, type Surroundings, untrainable } from './call.ts';
import type { Cut } from './cut.ts';
import { type Folded, foldedOf } from './folded.ts';
import { elementwiseRules } from './rules/elementwise.ts';
import { productRules } from './rules/product.ts';
import { reductionRules } from './rules/reduction.ts';
import type { Rules } from './rules/rule.ts';
import { selectionRules } from './rules/selection.ts';
import { shapeRules } from './rules/shape.ts';
import { tensorValue, type Value } from './value.ts';
import { ofLengths, type Way } from './way.ts';
import { TailWeights, type Weights, weightsOf } from './weights.ts';

/** Operators of ONNX that can be trained through, as they are since opset 18. */
const rules: Rules = {
  ...elementwiseRules,
  ...productRules,
  ...reductionRules,
  ...selectionRules,
  ...shapeRules,
};

/** What is read: of a larger part, graphs that train would be larger than anybody waits for. */
const mostNodes = 20_000;

/** Numbers that one tensor may have of a photo. */
const mostNumbers = 2 ** 26;

export interface Tail {
  /** Of the core. */
  readonly cut: string;
  /** What is computed behind the cut, in order. */
  readonly nodes: readonly NodeProto[];
  readonly taps: readonly string[];
  /** Of the whole graph. */
  readonly weights: Weights;
  readonly folded: ReadonlyMap<string, Folded>;
}

/**
 * @param core in opset 18 or newer, from `pixels` to taps
 * @param whole every node of the file, under the names of the core
 * @param pixels of two photos, @param lengths of one
 * @throws BackboneFault naming the node that stands in the way
 */
export async function readTail(
  core: ModelProto,
  way: Way,
  cut: Cut,
  whole: readonly NodeProto[],
  pixels: Values,
  lengths: readonly number[],
  trial: Trial,
): Promise<Tail> {
  const behind = way.order.filter(({ output }) => !output.some((name) => way.shown.has(name)));
  const taken = namesBefore(behind, cut.nodes.flatMap(namesTaken));
  const all = weightsOf(core.graph, new Set(taken));
  const { nodes, constants, weights } = partBehind(way, cut, all, whole);
  if (nodes.length > mostNodes) {
    const problem = `it has ${nodes.length} nodes behind the cut, more than ${mostNodes}.`;
    throw new BackboneFault(problem, 'Choose a later cut in `fineTune.from`.', 'LIMIT_EXCEEDED');
  }
  for (const node of nodes)
    if (!isKnown(node)) throw untrainable(node, 'is no operator with a known derivative');
  const folded = await foldedOf(core, constants, pixels, lengths, trial);
  return { cut: cut.name, nodes, taps: core.graph.output.map(({ name }) => name), weights, folded };
}

function isKnown(node: NodeProto): boolean {
  return domainOf(node) === '' && Object.hasOwn(rules, node.opType);
}

interface Part {
  readonly nodes: readonly NodeProto[];
  /** What they take that depends on neither the cut nor weights. */
  readonly constants: readonly string[];
  readonly weights: Weights;
}

/**
 * The nodes behind the cut and those that make what they need of weights, by operators that can be trained through. A weight
 * of which constants are computed as well, such as a piece of a mask, is none; nor one of which something is computed that nodes
 * take which are not behind the cut.
 */
function partBehind(way: Way, cut: Cut, all: Weights, whole: readonly NodeProto[]): Part {
  const weights = new Map(all);
  for (;;) {
    const nodes = nodesBehind(way, cut, weights);
    const own = new Set(nodes.flatMap(({ output }) => output).filter((name) => name !== ''));
    const made = new Set([cut.name, ...own]);
    const taken = new Set(nodes.flatMap(({ input }) => input));
    const constants = [...taken].filter((name) => name !== '' && !made.has(name) && !weights.has(name));
    const elsewhere = new Set(
      whole.filter(({ output }) => !output.some((name) => own.has(name))).flatMap(namesTaken),
    );
    const shared = [...own].filter((name) => !way.shown.has(name) && elsewhere.has(name));
    const fixed = namesBefore(way.order, [...constants, ...shared]).filter((name) => weights.delete(name));
    if (fixed.length === 0) return { nodes, constants, weights };
  }
}

function nodesBehind({ order, shown }: Way, cut: Cut, weights: Weights): readonly NodeProto[] {
  const weighed = new Set(weights.keys());
  for (const node of order) {
    if (ofLengths.has(node.opType) || !isKnown(node) || !node.input.some((name) => weighed.has(name)))
      continue;
    for (const name of node.output) if (!shown.has(name)) weighed.add(name);
  }
  const kept = new Set(cut.nodes);
  const wanted = new Set(cut.nodes.flatMap(({ input }) => input));
  for (const node of order.toReversed()) {
    const makes = node.output.some((name) => wanted.has(name) && weighed.has(name) && !shown.has(name));
    if (!makes) continue;
    kept.add(node);
    for (const name of node.input) wanted.add(name);
  }
  return order.filter((node) => kept.has(node));
}

/** Everything that tensors are computed of, lengths of tensors aside. */
function namesBefore(order: readonly NodeProto[], wanted: readonly string[]): readonly string[] {
  const names = new Set(wanted);
  for (const node of order.toReversed()) {
    if (ofLengths.has(node.opType) || !node.output.some((name) => names.has(name))) continue;
    for (const name of namesTaken(node)) names.add(name);
  }
  return [...names];
}

/**
 * The taps of a batch.
 * @param given what the tensor at the cut is for each photo (B, …)
 * @param rank as `TailWeights` has it
 * @throws BackboneFault naming the node that stands in the way
 */
export function tapsBehind(tail: Tail, given: FloatTensor, rank: number | null): readonly FloatTensor[] {
  const batch = given.shape[0]!;
  const weights = new TailWeights(tail.weights, rank);
  const around: Surroundings = { batch, cut: given, weights, parts: new Map() };
  const values = new Map<string, Value>([[tail.cut, tensorValue(given, 0)]]);
  for (const [name, folded] of tail.folded) values.set(name, { kind: 'folded', ...folded });
  const valueNamed = (name: string): Value | null => {
    const known = values.get(name);
    if (known !== undefined || name === '') return known ?? null;
    const tensor = weights.get(name);
    return tensor === undefined
      ? null
      : { ...tensorValue(tensor, null), weight: { name, transposed: false } };
  };
  for (const node of tail.nodes) {
    const call = new Call(node, node.input.map(valueNamed), around);
    const results = rules[node.opType]?.(call) ?? [];
    for (const [index, name] of node.output.entries()) {
      const result = results[index];
      if (name === '' || result === undefined) continue;
      const { tensor, photos } = result;
      if (sizeOf(tensor.shape) / (photos === null ? 1 : batch) > mostNumbers)
        throw untrainable(node, `makes more than ${mostNumbers} numbers of a photo`);
      values.set(name, result);
    }
  }
  return tail.taps.map((name) => {
    const tap = values.get(name);
    if (tap?.kind === 'tensor' && tap.photos === 0 && tap.tensor.shape[0] === batch) return tap.tensor;
    throw new BackboneFault('its taps are not one for each photo.', 'Name other tensors in `taps`.');
  });
}
