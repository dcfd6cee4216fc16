/** 16-bit floats (IEEE 754 binary16) as their bits: two bytes a number, three digits. */

const floats = new Float32Array(1);
const bits = new Uint32Array(floats.buffer);

/** Largest float32 that rounds to a finite half. */
const largest = 65_519.996;

/** Rounds to the nearest half, ties to even. @throws RangeError beyond ±65,504, and for what is no number */
export function toHalves(values: Float32Array, halves: Uint16Array): void {
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (!(Math.abs(value) <= largest)) throw new RangeError(`${value} is no 16-bit float`);
    floats[0] = value;
    const whole = bits[0]!;
    const sign = (whole >>> 16) & 0x8000;
    const magnitude = whole & 0x7fff_ffff;
    halves[at] = sign | (magnitude < 0x3880_0000 ? subnormal(magnitude) : rounded(magnitude));
  }
}

/** From 2^-14 on: the exponent moves by 112, and 13 bits of the fraction go. */
function rounded(magnitude: number): number {
  const odd = (magnitude >>> 13) & 1;
  return (magnitude - 0x3800_0000 + 0xfff + odd) >>> 13;
}

/** Below 2^-14: multiples of 2^-24. */
function subnormal(magnitude: number): number {
  bits[0] = magnitude;
  const scaled = floats[0]! * 2 ** 24;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
}

/** The float32 of every half, by its bits: a sign, 5 bits of exponent, 10 of fraction. */
export const valueOfHalf = Float32Array.from({ length: 2 ** 16 }, (_, half) => {
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
});

export function fromHalves(halves: Uint16Array, values: Float32Array): void {
  for (let at = 0; at < halves.length; at++) values[at] = valueOfHalf[halves[at]!]!;
}
