/** The dtypes of the safetensors format: how many bytes a value takes, and which array holds it here. */

/** Those whose bytes in a file are those of an array in memory. */
const arrayTypes = {
  F32: Float32Array,
  F64: Float64Array,
  I8: Int8Array,
  I16: Int16Array,
  I32: Int32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
  U16: Uint16Array,
  U32: Uint32Array,
  U64: BigUint64Array,
} as const;

type ArrayType = (typeof arrayTypes)[keyof typeof arrayTypes];

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

interface Dtype {
  /** Bytes of a value in a file. */
  readonly width: number;
  /**
   * @param given an array to fill, or null for a new one
   * @returns null when `given` has another type or length
   */
  fill(length: number, given: SafeArray | null): Filling | null;
}

/** Every dtype that can be read, by its name in a file. */
export const dtypes: ReadonlyMap<string, Dtype> = new Map([
  ...Object.entries(arrayTypes).map(([name, Type]): [string, Dtype] => [name, plain(Type)]),
  ['BOOL', plain(Uint8Array)],
  ['F16', widened(numberOfHalf)],
  ['BF16', widened(numberOfBfloat)],
]);

/** The name that the dtype of an array has in a file. */
export function dtypeOf(data: SafeArray): string {
  const found = Object.entries(arrayTypes).find(([, Type]) => data instanceof Type);
  if (found === undefined) throw new Error('safetensors has no dtype for this array');
  return found[0];
}

function plain(Type: ArrayType): Dtype {
  return {
    width: Type.BYTES_PER_ELEMENT,
    fill: (length, given) => {
      const data = given ?? new Type(length);
      return data instanceof Type && data.length === length ? { data, widen: null } : null;
    },
  };
}

/** Two bytes a value in the file, float32 in memory. */
function widened(numberOf: (bits: number) => number): Dtype {
  return {
    width: 2,
    fill: (length, given) => {
      const data = given ?? new Float32Array(length);
      if (!(data instanceof Float32Array) || data.length !== length) return null;
      const widen = ({ buffer, byteOffset, byteLength }: Uint8Array, from: number) => {
        const view = new DataView(buffer, byteOffset, byteLength);
        for (let at = 0; at < byteLength; at += 2) data[from + at / 2] = numberOf(view.getUint16(at, true));
      };
      return { data, widen };
    },
  };
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. float32 has every one of its values. */
function numberOfHalf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** bfloat16: the upper half of a float32. */
function numberOfBfloat(bits: number): number {
  float32.setUint16(0, bits);
  return float32.getFloat32(0);
}

const float32 = new DataView(new ArrayBuffer(4));
