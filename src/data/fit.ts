/** Pictures fitted into a square. */

/** How the pixels of a line are mixed into fewer or more pixels: output i takes `count` inputs from `first[i]` on. */
interface Mixing {
  readonly count: number;
  readonly first: Int32Array;
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
 * @returns (side, side, 3)
 */
export function fitIntoSquare(pixels: Uint8Array, width: number, height: number, side: number): Uint8Array {
  const scale = side / Math.max(width, height);
  const columns = Math.max(1, Math.round(width * scale));
  const rows = Math.max(1, Math.round(height * scale));
  const square = new Uint8Array(side * side * 3).fill(white);
  const top = Math.floor((side - rows) / 2);
  const left = Math.floor((side - columns) / 2);
  const vertical = mixing(height, rows);
  const horizontal = mixing(width, columns);
  const line = new Float32Array(width * 3);
  for (let row = 0; row < rows; row++) {
    mixLines(pixels, line, vertical, row);
    mixColumns(line, square, ((top + row) * side + left) * 3, horizontal, columns);
  }
  return square;
}

/** One line of the result, at the picture's own width. */
function mixLines(pixels: Uint8Array, line: Float32Array, { count, first, weights }: Mixing, row: number) {
  const length = line.length;
  line.fill(0);
  for (let k = 0; k < count; k++) {
    const weight = weights[row * count + k]!;
    if (weight === 0) continue;
    const from = (first[row]! + k) * length;
    for (let i = 0; i < length; i++) line[i]! += weight * pixels[from + i]!;
  }
}

function mixColumns(
  line: Float32Array,
  square: Uint8Array,
  offset: number,
  { count, first, weights }: Mixing,
  columns: number,
): void {
  for (let column = 0; column < columns; column++) {
    // A half, so that cutting off the fraction rounds.
    let red = 0.5;
    let green = 0.5;
    let blue = 0.5;
    for (let k = 0; k < count; k++) {
      const weight = weights[column * count + k]!;
      const at = (first[column]! + k) * 3;
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

function mixing(from: number, to: number): Mixing {
  const key = `${from} ${to}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  if (remembered.size === mostRemembered) remembered.clear();
  const made = triangleMixing(from, to);
  remembered.set(key, made);
  return made;
}

function triangleMixing(from: number, to: number): Mixing {
  const scale = from / to;
  const support = Math.max(1, scale);
  const count = Math.min(from, Math.ceil(2 * support) + 1);
  const first = new Int32Array(to);
  const weights = new Float32Array(to * count);
  for (let output = 0; output < to; output++) {
    const centre = (output + 0.5) * scale;
    const start = Math.min(Math.max(0, Math.floor(centre - support)), from - count);
    const row = Float64Array.from({ length: count }, (_, k) =>
      Math.max(0, 1 - Math.abs(start + k + 0.5 - centre) / support),
    );
    const total = row.reduce((sum, weight) => sum + weight, 0);
    first[output] = start;
    weights.set(
      row.map((weight) => weight / total),
      output * count,
    );
  }
  return { count, first, weights };
}
