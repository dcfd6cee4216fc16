/** What lies between photos and taps of a graph, and the tensors that all of it passes through. */
import type { GraphProto, NodeProto } from '../../graph/onnx-schema.ts';
import { namesTaken } from '../core.ts';
import { BackboneFault, exportAgain } from '../errors.ts';

/** Everything from photos to taps goes through this tensor. */
interface Pass {
  readonly name: string;
  /** Nodes of the way that come before it. */
  readonly before: number;
}

export interface Way {
  /** Every node that the taps depend on, each after those it depends on. */
  readonly order: readonly NodeProto[];
  /** Of these the ones that what a photo shows goes through, in the same order. */
  readonly nodes: readonly NodeProto[];
  /** Tensors that depend on what a photo shows. */
  readonly shown: ReadonlySet<string>;
  /** From the photos on. */
  readonly passes: readonly Pass[];
}

/** What these give tells the lengths of tensors, not what is in them. */
export const ofLengths: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** @throws BackboneFault for a graph that goes round in circles */
export function wayThrough(graph: GraphProto): Way {
  const photos = graph.input[0]?.name ?? '';
  const taps = graph.output.map(({ name }) => name);
  const order = inOrder(graph, taps);
  const shown = new Set([photos]);
  for (const node of order) {
    if (!ofLengths.has(node.opType) && namesTaken(node).some((name) => shown.has(name)))
      for (const name of node.output) shown.add(name);
  }
  const nodes = leadingTo(
    taps,
    order.filter(({ output }) => output.some((name) => shown.has(name))),
    shown,
  );
  return { order, nodes, shown, passes: passesOf(nodes, photos, taps, shown) };
}

/** The nodes that tensors depend on, each after those it depends on. Without recursion: graphs of others may be deep. */
function inOrder({ node: nodes }: GraphProto, wanted: readonly string[]): readonly NodeProto[] {
  const producers = new Map(nodes.flatMap((each) => each.output.map((name) => [name, each] as const)));
  producers.delete('');
  const done = new Set<NodeProto>();
  const under = new Set<NodeProto>();
  const stack: { readonly node: NodeProto; readonly taken: readonly string[]; next: number }[] = [];
  const visit = (name: string) => {
    const node = producers.get(name);
    if (node === undefined || done.has(node)) return;
    if (under.has(node)) throw new BackboneFault('its graph goes round in circles.', exportAgain);
    under.add(node);
    stack.push({ node, taken: namesTaken(node), next: 0 });
  };
  for (const name of wanted) {
    visit(name);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const follow = top.taken[top.next++];
      if (follow !== undefined) visit(follow);
      else {
        done.add(top.node);
        under.delete(top.node);
        stack.pop();
      }
    }
  }
  return [...done];
}

function leadingTo(
  taps: readonly string[],
  nodes: readonly NodeProto[],
  shown: ReadonlySet<string>,
): readonly NodeProto[] {
  const wanted = new Set(taps);
  const kept = nodes.toReversed().filter((node) => {
    if (!node.output.some((name) => wanted.has(name))) return false;
    for (const name of shownInputs(node, shown)) wanted.add(name);
    return true;
  });
  return kept.toReversed();
}

function shownInputs(node: NodeProto, shown: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(namesTaken(node).filter((name) => shown.has(name)));
}

/**
 * A tensor is passed by everything where, once it is computed, nothing else that was computed before is still needed. The
 * order decides nothing: whatever is on the way comes before such a tensor in every order, or after it.
 */
function passesOf(
  nodes: readonly NodeProto[],
  photos: string,
  taps: readonly string[],
  shown: ReadonlySet<string>,
): readonly Pass[] {
  const uses = new Map<string, number>();
  const use = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const node of nodes) for (const name of shownInputs(node, shown)) use(name);
  // A tap is needed to the end.
  for (const tap of taps) use(tap);
  const live = new Set([photos]);
  const passes: Pass[] = [{ name: photos, before: 0 }];
  for (const [at, node] of nodes.entries()) {
    for (const name of shownInputs(node, shown)) {
      const left = (uses.get(name) ?? 0) - 1;
      uses.set(name, left);
      if (left <= 0) live.delete(name);
    }
    for (const name of node.output) if ((uses.get(name) ?? 0) > 0) live.add(name);
    const made = node.output.find((name) => live.has(name));
    if (live.size === 1 && made !== undefined) passes.push({ name: made, before: at + 1 });
  }
  return passes;
}
