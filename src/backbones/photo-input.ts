/** The input of a graph that takes photos, as far as the graph tells it. */
import { elementTypes, type GraphProto, type ValueInfoProto } from '../graph/onnx-schema.ts';
import { BackboneFault, exportAgain, wrongSetting } from './errors.ts';
import type { InputSettings, Layout } from './settings.ts';

export interface PhotoInput {
  readonly name: string;
  readonly isBytes: boolean;
  /** TensorProto.DataType. */
  readonly elementType: number;
  readonly layout: Layout;
  /** Whether the graph itself says where the colours stand. */
  readonly saysLayout: boolean;
  /** In pixels; undefined where any is taken. */
  readonly side: number | undefined;
  /** Why it is that, as a part of a sentence. */
  readonly sideFrom: string;
  /** Photos at a time; undefined where any number is taken. */
  readonly batch: number | undefined;
}

/** Of floats that we can convert photos to, beside bytes. */
const floatTypes: readonly number[] = [elementTypes.float32, 10, 11];

/** @throws BackboneFault where there is no input that takes square photos of three colours, or more than one */
export function photoInputOf(graph: GraphProto, settings: InputSettings): PhotoInput {
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !constants.has(name));
  const fitting = inputs.filter(takesPhotos);
  const [input, ...others] = fitting;
  if (input === undefined || others.length > 0) {
    const problem = `it has ${fitting.length === 0 ? 'no input' : 'several inputs'} of the shape of photos (n, 3, h, w) or (n, h, w, 3): ${inputs.map(described).join(', ') || 'none at all'}.`;
    throw new BackboneFault(problem, 'Export the part of the model that takes images.');
  }
  const elementType = input.type?.tensorType?.elemType ?? 0;
  const isBytes = elementType === elementTypes.uint8;
  const [batch, ...rest] = lengthsOf(input) ?? [undefined, undefined, undefined, undefined];
  const told = toldLayout(rest);
  const layout = settings.layout ?? told ?? (isBytes ? 'nhwc' : 'nchw');
  const [colours, height, width] = layout === 'nchw' ? rest : [rest[2], rest[0], rest[1]];
  if (colours !== undefined && colours !== 3) {
    const problem = `its input ${described(input)} has ${colours} colours${settings.layout === undefined ? '' : ` as ${layout}`}.`;
    throw settings.layout === undefined ? new BackboneFault(problem, exportAgain) : wrongSetting(problem);
  }
  const side = height ?? width;
  if (side !== undefined && (width ?? side) !== side)
    throw new BackboneFault(`its input ${described(input)} is not square.`, 'Export it for square photos.');
  if (settings.side !== undefined && side !== undefined && settings.side !== side)
    throw wrongSetting(`it takes ${side} pixels a side, not ${settings.side}.`);
  return {
    ...{ name: input.name, isBytes, elementType, layout, saysLayout: told !== undefined },
    ...{
      side: settings.side ?? side,
      sideFrom: settings.side === undefined ? 'as the graph asks' : 'as set',
      batch,
    },
  };
}

function takesPhotos(input: ValueInfoProto): boolean {
  const elementType = input.type?.tensorType?.elemType ?? 0;
  const lengths = lengthsOf(input);
  const isKnown = elementType === elementTypes.uint8 || floatTypes.includes(elementType);
  return isKnown && (lengths === undefined || lengths.length === 4);
}

function toldLayout([first, , last]: readonly (number | undefined)[]): Layout | undefined {
  if (first === 3) return 'nchw';
  return last === 3 ? 'nhwc' : undefined;
}

/** Undefined for a free length; undefined as a whole where not even their number is told. */
function lengthsOf(value: ValueInfoProto): readonly (number | undefined)[] | undefined {
  return value.type?.tensorType?.shape?.dim.map(({ dimValue }) => dimValue);
}

function described(value: ValueInfoProto): string {
  const lengths = lengthsOf(value)?.map((length) => length ?? '?') ?? ['…'];
  return `${JSON.stringify(value.name)} (${lengths.join(', ')})`;
}
