/** Where a graph is cut in two: what comes before stays as it is, what comes after is trained. */
import type { NodeProto } from '../../graph/onnx-schema.ts';
import { wrongSetting } from '../errors.ts';
import { domainOf } from '../nodes.ts';
import type { Way } from './way.ts';

export interface Cut {
  /** Of the tensor, as the core has it. */
  readonly name: string;
  /** The nodes behind it. */
  readonly nodes: readonly NodeProto[];
}

/** The core has the names of the file with this in front. */
const inFile = 'file/';

export function nameInFile(name: string): string {
  return name.startsWith(inFile) ? name.slice(inFile.length) : name;
}

/**
 * @param from name of a tensor in the file, or a number of attention blocks counted from the end: the cut is then the last
 * tensor before the first of them that everything passes through, which is the residual stream
 * @throws BackboneFault CONFIG_INVALID where there is no such tensor, or something goes past it
 */
export function cutAt(way: Way, from: number | string): Cut {
  const begins = blockStarts(way);
  const pass =
    typeof from === 'number' ? begins.at(-from) : way.passes.find(({ name }) => name === inFile + from);
  if (pass !== undefined) return { name: pass.name, nodes: way.nodes.slice(pass.before) };
  if (typeof from === 'number') {
    const problem = `it has ${begins.length} blocks with attention before its taps, so the last ${from} cannot be trained.`;
    throw wrongSetting(
      `${problem}${begins.length === 0 ? ' A tensor of it may be named in `fineTune.from`.' : ''}`,
    );
  }
  const names = begins.slice(-mostNamed).map(({ name }) => nameInFile(name));
  const known = way.shown.has(inFile + from)
    ? `not everything from photos to its taps passes through ${JSON.stringify(from)}`
    : `no tensor ${JSON.stringify(from)} lies between photos and its taps`;
  const near = names.length > 0 ? ` Its blocks begin with ${names.join(', ')}.` : '';
  throw wrongSetting(`${known}, so it cannot be cut there.${near}`);
}

/** Beginnings of blocks that a message names. */
const mostNamed = 48;

/** Of every attention the last tensor before it that everything passes through. */
function blockStarts({ nodes, passes }: Way) {
  let last = 0;
  return nodes.flatMap((node, at) => {
    while ((passes[last + 1]?.before ?? Number.POSITIVE_INFINITY) <= at) last++;
    const pass = passes[last];
    return node.opType === 'Softmax' && domainOf(node) === '' && pass !== undefined ? [pass] : [];
  });
}
