/** Pictures fitted into a square. */
import type { Size } from './plain-jpeg.ts';

/** How the pixels of a line are mixed into fewer or more pixels. */
interface Mixing {
  /** Inputs of an output, a multiple of four: so many are read in one walk along a line. */
  readonly count: number;
  /** Which. (outputs, count) */
  readonly inputs: Int32Array;
  /** (outputs, count), each row summing to 1 */
  readonly weights: Float32Array;
}

const white = 255;

/**
 * Scales a picture until it fits into a square and centres it there between white bars, so that proportions
 * stay. Each pixel is the average of those it covers, under a triangle twice as wide as itself: linear
 * interpolation that does not alias when it shrinks, as Pillow and torchvision do it.
 *
 * @param pixels 8-bit RGB (height, width, 3)
 * @param whole the size of the picture in such pixels, which may end within one that is left out at the right or below
 * @returns (side, side, 3)
 */
export function fitIntoSquare(
  pixels: Uint8Array,
  width: number,
  height: number,
  side: number,
  whole: Size = { width, height },
): Uint8Array {
  const scale = side / Math.max(whole.width, whole.height);
  const columns = Math.max(1, Math.round(whole.width * scale));
  const rows = Math.max(1, Math.round(whole.height * scale));
  const square = new Uint8Array(side * side * 3).fill(white);
  const top = Math.floor((side - rows) / 2);
  const left = Math.floor((side - columns) / 2);
  const vertical = mixing(height, rows, whole.height);
  const horizontal = mixing(width, columns, whole.width);
  const line = new Float32Array(width * 3);
  for (let row = 0; row < rows; row++) {
    mixLines(pixels, line, vertical, row);
    mixColumns(line, square, ((top + row) * side + left) * 3, horizontal, columns);
  }
  return square;
}

/** One line of the result, at the picture's own width. */
function mixLines(
  pixels: Uint8Array,
  line: Float32Array,
  { count, inputs, weights }: Mixing,
  row: number,
): void {
  const { length } = line;
  line.fill(0);
  for (let at = row * count; at < (row + 1) * count; at += 4) {
    const [weight, weight1, weight2, weight3] = [
      weights[at]!,
      weights[at + 1]!,
      weights[at + 2]!,
      weights[at + 3]!,
    ];
    const [from, from1, from2, from3] = [
      inputs[at]! * length,
      inputs[at + 1]! * length,
      inputs[at + 2]! * length,
      inputs[at + 3]! * length,
    ];
    for (let i = 0; i < length; i++)
      line[i]! +=
        weight * pixels[from + i]! +
        weight1 * pixels[from1 + i]! +
        weight2 * pixels[from2 + i]! +
        weight3 * pixels[from3 + i]!;
  }
}

function mixColumns(
  line: Float32Array,
  square: Uint8Array,
  offset: number,
  { count, inputs, weights }: Mixing,
  columns: number,
): void {
  let tap = 0;
  for (let column = 0; column < columns; column++) {
    // A half, so that cutting off the fraction rounds.
    let red = 0.5;
    let green = 0.5;
    let blue = 0.5;
    for (const end = tap + count; tap < end; tap++) {
      const weight = weights[tap]!;
      const at = inputs[tap]! * 3;
      red += weight * line[at]!;
      green += weight * line[at + 1]!;
      blue += weight * line[at + 2]!;
    }
    const to = offset + column * 3;
    square[to] = red;
    square[to + 1] = green;
    square[to + 2] = blue;
  }
}

/** Photos of a catalogue have few sizes, so that their mixings are worth remembering; a hostile one has many. */
const remembered = new Map<string, Mixing>();
const mostRemembered = 256;

/** @param length of the line in its pixels */
function mixing(from: number, to: number, length: number): Mixing {
  const key = `${from} ${to} ${length}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  if (remembered.size === mostRemembered) remembered.clear();
  const made = triangleMixing(from, to, length);
  remembered.set(key, made);
  return made;
}

function triangleMixing(from: number, to: number, length: number): Mixing {
  const scale = length / to;
  const support = Math.max(1, scale);
  const most = Math.min(from, Math.ceil(2 * support) + 1);
  const rows = Array.from({ length: to }, (_, output) => {
    const centre = (output + 0.5) * scale;
    const start = Math.min(Math.max(0, Math.floor(centre - support)), from - most);
    const taps = Array.from({ length: most }, (_, k) => {
      return { input: start + k, weight: Math.max(0, 1 - Math.abs(start + k + 0.5 - centre) / support) };
    }).filter(({ weight }) => weight > 0);
    const total = taps.reduce((sum, { weight }) => sum + weight, 0);
    return taps.map(({ input, weight }) => ({ input, weight: weight / total }));
  });
  const widest = rows.reduce((widest, { length }) => Math.max(widest, length), 0);
  const count = 4 * Math.ceil(widest / 4);
  const inputs = new Int32Array(to * count);
  const weights = new Float32Array(to * count);
  for (const [output, taps] of rows.entries()) {
    for (let k = 0; k < count; k++) {
      inputs[output * count + k] = taps[Math.min(k, taps.length - 1)]!.input;
      weights[output * count + k] = taps[k]?.weight ?? 0;
    }
  }
  return { count, inputs, weights };
}
