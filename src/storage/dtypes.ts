/** The dtypes of the safetensors format: how many bytes a value takes, and which array holds it here. */

import { valueOfHalf } from './half.ts';

/** Reads the value that begins at a byte, little endian. */
type NumberAt = (view: DataView, at: number) => number;

/** Those whose bytes in a file are those of an array in memory. */
const arrayTypes = {
  F32: { Type: Float32Array, at: (view, at) => view.getFloat32(at, true) },
  F64: { Type: Float64Array, at: (view, at) => view.getFloat64(at, true) },
  I8: { Type: Int8Array, at: (view, at) => view.getInt8(at) },
  I16: { Type: Int16Array, at: (view, at) => view.getInt16(at, true) },
  I32: { Type: Int32Array, at: (view, at) => view.getInt32(at, true) },
  I64: { Type: BigInt64Array, at: (view, at) => Number(view.getBigInt64(at, true)) },
  U8: { Type: Uint8Array, at: (view, at) => view.getUint8(at) },
  U16: { Type: Uint16Array, at: (view, at) => view.getUint16(at, true) },
  U32: { Type: Uint32Array, at: (view, at) => view.getUint32(at, true) },
  U64: { Type: BigUint64Array, at: (view, at) => Number(view.getBigUint64(at, true)) },
} as const satisfies Readonly<Record<string, { readonly Type: unknown; readonly at: NumberAt }>>;

type PlainType = (typeof arrayTypes)[keyof typeof arrayTypes];

export type SafeArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** An array that values of a file are read into. */
export interface Filling {
  readonly data: SafeArray;
  /** Takes bytes of whole values, the first of which is number `from`; null where they go into `data` as they are. */
  readonly widen: ((bytes: Uint8Array, from: number) => void) | null;
}

/** The same, always as float32. */
export interface FloatFilling extends Filling {
  readonly data: Float32Array;
}

interface Dtype {
  /** Bytes of a value in a file. */
  readonly width: number;
  /**
   * @param given an array to fill, or null for a new one
   * @returns null when `given` has another type or length
   */
  fill(length: number, given: SafeArray | null): Filling | null;
  /** A new array of float32, whatever the values are in the file. */
  floats(length: number): FloatFilling;
}

/** Every dtype that can be read, by its name in a file. */
export const dtypes: ReadonlyMap<string, Dtype> = new Map([
  ...Object.entries(arrayTypes).map(([name, type]): [string, Dtype] => [name, plain(type)]),
  ['BOOL', plain(arrayTypes.U8)],
  ['F16', widened((view, at) => valueOfHalf[view.getUint16(at, true)]!)],
  ['BF16', widened((view, at) => numberOfBfloat(view.getUint16(at, true)))],
]);

/** The name that the dtype of an array has in a file. */
export function dtypeOf(data: SafeArray): string {
  const found = Object.entries(arrayTypes).find(([, { Type }]) => data instanceof Type);
  if (found === undefined) throw new Error('safetensors has no dtype for this array');
  return found[0];
}

function plain({ Type, at }: PlainType): Dtype {
  const width = Type.BYTES_PER_ELEMENT;
  return {
    width,
    fill: (length, given) => {
      const data = given ?? new Type(length);
      return data instanceof Type && data.length === length ? { data, widen: null } : null;
    },
    floats: (length) => {
      const data = new Float32Array(length);
      return Type === Float32Array ? { data, widen: null } : widening(data, width, at);
    },
  };
}

/** Two bytes a value in the file, float32 in memory. */
function widened(at: NumberAt): Dtype {
  const width = 2;
  return {
    width,
    fill: (length, given) => {
      const data = given ?? new Float32Array(length);
      if (!(data instanceof Float32Array) || data.length !== length) return null;
      return widening(data, width, at);
    },
    floats: (length) => widening(new Float32Array(length), width, at),
  };
}

function widening(data: Float32Array, width: number, numberAt: NumberAt): FloatFilling {
  const widen = ({ buffer, byteOffset, byteLength }: Uint8Array, from: number) => {
    const view = new DataView(buffer, byteOffset, byteLength);
    for (let at = 0; at < byteLength; at += width) data[from + at / width] = numberAt(view, at);
  };
  return { data, widen };
}

/** bfloat16: the upper half of a float32. */
function numberOfBfloat(bits: number): number {
  float32.setUint16(0, bits);
  return float32.getFloat32(0);
}

const float32 = new DataView(new ArrayBuffer(4));
