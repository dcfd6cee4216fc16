/** What an engine is told and gives, however ONNX Runtime is called. */
import type { Binding } from './binding.ts';
import type { Device } from './device.ts';
import type { DataType, Model, TensorDescription } from './model.ts';

export type Values = Float32Array | Int32Array | Uint8Array | BigInt64Array;
export type NamedValues = Readonly<Record<string, Values>>;

export interface EngineOptions {
  /** Threads that share each operator. */
  readonly threads: number;
  /** Where sessions compute; what a device lacks is computed on the CPU. */
  readonly device: Device;
  /** How ONNX Runtime is called. */
  readonly binding: Binding;
}

/** A model output of this prefix replaces the state tensor of the rest of its name. */
export const nextPrefix = 'next.';

/** A model output of this prefix stays with the engine, beside the state, until a model that has an input of this name has run. */
export const keptPrefix = 'kept.';

const arrays: Readonly<Record<DataType, new (length: number) => Values>> = {
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/**
 * The shape of values that fill `description`, whose leading axis may be open.
 * @throws Error when they are of another type, do not fill whole rows, or were handed over before
 */
export function shapeOf(name: string, values: Values, description: TensorDescription): readonly number[] {
  const { type, shape } = description;
  if (!(values instanceof arrays[type])) {
    throw new Error(
      `input ${name}: ${type} comes as ${arrays[type].name}, not as ${values.constructor.name}`,
    );
  }
  if (values.length === 0 && isDetached(values)) {
    throw new Error(`input ${name}: its values are gone, they were handed over before`);
  }
  const [leading, ...rest] = shape;
  const row = rest.reduce((product, length) => product * length, 1);
  const filled = leading === undefined ? values.length === 1 : values.length % row === 0;
  if (!filled) throw new Error(`input ${name}: ${values.length} values do not fill [${shape}]`);
  return leading === undefined ? [] : [values.length / row, ...rest];
}

/**
 * @param length of the output; null where it is open
 * @throws Error when an array is not what this output can be written into
 */
export function assertRoom(
  name: string,
  room: Values,
  output: TensorDescription | undefined,
  length: number | null,
): void {
  if (output === undefined) throw new Error(`there is no output ${name}`);
  if (room instanceof arrays[output.type] && room.length === length) return;
  throw new Error(
    `output ${name}: ${length ?? 'an open number of'} ${output.type} cannot be written into ${room.length} of ${room.constructor.name}`,
  );
}

/** Those of `feeds` that a model takes. @throws Error as `shapeOf` does */
export function inputsOf(feeds: NamedValues, inputs: Model['inputs']): NamedValues {
  const taken = Object.entries(feeds).filter(([name, values]) => {
    const description = inputs[name];
    return description !== undefined && shapeOf(name, values, description);
  });
  return Object.fromEntries(taken);
}

function isDetached({ buffer }: Values): boolean {
  try {
    // Node 20 has no other way to tell.
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
