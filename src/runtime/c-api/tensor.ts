/** ONNX Runtime's tensors over JavaScript's memory, and the other way round. */
import { bytesOf } from '../hand-over.ts';
import type { DataType } from '../model.ts';
import { ModelError } from '../model-error.ts';
import type { Values } from '../protocol.ts';
import type { Environment } from './environment.ts';
import type { Pointer } from './library.ts';
import { check, made } from './status.ts';

/** Types of elements, as the C interface numbers them. */
export const elementCodes: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
};

/** A tensor as the C interface describes it. */
export interface TensorType {
  /** The type of its elements. */
  readonly code: number;
  /** -1 where a model leaves a length open. */
  readonly shape: readonly number[];
}

/** An empty tensor needs an address too. */
const nothing = new Uint8Array(8);

/** A tensor in place: `values` have to be held, and stay where they are, until it is released. */
export function tensorOver(
  { api, memory }: Environment,
  { code, shape }: TensorType,
  values: Values,
): Pointer {
  const lengths = BigInt64Array.from(shape, BigInt);
  const data = values.length === 0 ? nothing : values;
  const { byteLength } = values;
  return made(api, (out) =>
    api.createTensorWithDataAsOrtValue(memory, data, byteLength, lengths, lengths.length, code, out),
  );
}

/** A copy of what a tensor holds. @throws ModelError for another type than those that are handed over */
export function valuesOf(environment: Environment, name: string, tensor: Pointer): Values {
  const { api } = environment;
  const info = made(api, (out) => api.getTensorTypeAndShape(tensor, out));
  try {
    const length = Number(made(api, (out) => api.getTensorShapeElementCount(info, out)));
    const values = arrayOf(codeOf(environment, info), length);
    if (values === null) throw new ModelError(`output ${name} is of a type that is not handed over`);
    if (length === 0) return values;
    const address = made(api, (out) => api.getTensorMutableData(tensor, out));
    bytesOf(values).set(new Uint8Array(api.viewOf(address, values.byteLength)));
    return values;
  } finally {
    api.releaseTensorTypeAndShapeInfo(info);
  }
}

/** A new array for so many elements of a type; null where such a type is not handed over. */
export function arrayOf(code: number, length: number): Values | null {
  switch (code) {
    case elementCodes.float32:
      return new Float32Array(length);
    case elementCodes.int32:
      return new Int32Array(length);
    case elementCodes.int64:
      return new BigInt64Array(length);
    case elementCodes.uint8:
    case elementCodes.bool:
      return new Uint8Array(length);
    default:
      return null;
  }
}

/** By name, of a session's outputs that are tensors. */
export function outputTypes(environment: Environment, session: Pointer): ReadonlyMap<string, TensorType> {
  const { api, allocator } = environment;
  const count = Number(made(api, (out) => api.sessionGetOutputCount(session, out)));
  const types = new Map<string, TensorType>();
  for (let index = 0; index < count; index++) {
    const name = made(api, (out) => api.sessionGetOutputName(session, index, allocator, out));
    const type = made(api, (out) => api.sessionGetOutputTypeInfo(session, index, out));
    const info = made(api, (out) => api.castTypeInfoToTensorInfo(type, out));
    if (info !== 0n) {
      types.set(api.textAt(name), { code: codeOf(environment, info), shape: shapeOf(environment, info) });
    }
    api.releaseTypeInfo(type);
    check(api, api.allocatorFree(allocator, name));
  }
  return types;
}

function codeOf({ api }: Environment, info: Pointer): number {
  const code = new Int32Array(1);
  check(api, api.getTensorElementType(info, code));
  return code[0]!;
}

function shapeOf({ api }: Environment, info: Pointer): readonly number[] {
  const axes = Number(made(api, (out) => api.getDimensionsCount(info, out)));
  const lengths = new BigInt64Array(axes);
  if (axes > 0) check(api, api.getDimensions(info, lengths, axes));
  return Array.from(lengths, Number);
}
