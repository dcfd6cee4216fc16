/** Models one after the other as one model. */
import type { GraphProto, ModelProto, OperatorSet } from '../graph/onnx-schema.ts';
import { domainOf, nodesOfModel, opsetOf, renamed } from './nodes.ts';
import { upgrade } from './opsets.ts';

/**
 * One model of several by name: inputs that are called like an output of an earlier one are that output, the others are
 * inputs of the whole; outputs are those of the last. Names inside get the name of their model in front, so that nothing
 * collides. All are brought to the newest opset among them, and only what is used of other domains is asked for.
 * @throws BackboneFault for an operator that the newest opset does not have
 */
export function chain(
  models: Readonly<Record<string, ModelProto>>,
  metadata: Readonly<Record<string, string>> = {},
): ModelProto {
  const version = Math.max(...Object.values(models).map(opsetOf));
  const parts = Object.entries(models).map(([name, model]) => named(name, upgrade(model, version)));
  const given = new Set(parts.flatMap(({ graph }) => graph.output.map((output) => output.name)));
  const inputs = parts.flatMap(({ graph }) => graph.input.filter(({ name }) => !given.has(name)));
  // What several take is one input of the whole.
  const input = [...new Map(inputs.map((value) => [value.name, value])).values()];
  const functions = parts.flatMap((part) => part.functions ?? []);
  const graph: GraphProto = {
    name: 'courier',
    node: parts.flatMap((part) => part.graph.node),
    initializer: parts.flatMap((part) => part.graph.initializer),
    input,
    output: parts.at(-1)?.graph.output ?? [],
  };
  const whole: ModelProto = {
    irVersion: Math.max(...parts.map(({ irVersion = 0 }) => irVersion)),
    producerName: 'courier-rec',
    graph,
    functions,
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  };
  return { ...whole, opsetImport: opsetsUsed(whole, parts) };
}

function opsetsUsed(whole: ModelProto, parts: readonly ModelProto[]): readonly OperatorSet[] {
  const used = new Set(['', ...nodesOfModel(whole).map(domainOf)]);
  const versions = new Map<string, number>();
  for (const each of parts.flatMap(({ opsetImport = [] }) => opsetImport)) {
    const domain = domainOf(each);
    if (used.has(domain)) versions.set(domain, Math.max(versions.get(domain) ?? 1, each.version ?? 1));
  }
  return [...versions].map(([domain, version]) => ({ domain, version }));
}

/** The model with `name` in front of all names that only it knows, in the graphs inside it too. */
function named(name: string, model: ModelProto): ModelProto {
  const { input, output } = model.graph;
  const known = new Set([...input, ...output].map((value) => value.name));
  const rename = (inner: string) => (inner === '' || known.has(inner) ? inner : `${name}/${inner}`);
  return { ...model, graph: renamed(model.graph, rename) };
}
