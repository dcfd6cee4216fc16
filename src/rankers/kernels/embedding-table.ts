/**
 * What is done with the rows of an embedding table, many at a time: AssemblyScript, a TypeScript that compiles to
 * WebAssembly (`npm run kernels` writes `embedding-table.wasm`).
 *
 * It computes what `embedding-table-javascript.ts` does, to the same bits: sums in float32, optimisers in float64, two
 * values at a time. Whoever calls it has checked every row number; addresses are in bytes.
 */

/** Rows that are asked for at a time, so that the processor waits for them together and not for one at a time. */
const block: u32 = 32;
const paddingRow: u32 = 0;

const beta1: f64 = 0.9;
const beta2: f64 = 0.999;
const adamEpsilon: f64 = 1e-8;
const adagradEpsilon: f64 = 1e-10;
/** Steps after which a first moment is taken for zero. */
const horizon: u32 = 300;

/** Of a fresh embedding, drawn from 32 bits: 2 √3 · 0.01 / 2³². */
const startScale: f64 = (2.0 * Math.sqrt(3.0) * 0.01) / 4294967296.0;

/** Of each row E values, its slots, and where idle rows change the step after which it was brought up to date. */
let valuesAt: usize = 0;
/** A bit for each row. */
let presentAt: usize = 0;
/** Whether rows outside of a batch change: then the last number of a row says how far it is. */
let idle: bool = false;
/** Bytes of E values, and of a row. */
let length: usize = 0;
let stride: usize = 0;
let firstKey: u32 = 0;
let secondKey: u32 = 0;
/** A shard's row r is the row `every` · r + `offset` of the table, after which it starts. */
let every: u32 = 1;
let offset: u32 = 0;
let learningRate: f64 = 0;

/** Steps so far, and what an idle row needs of them: W and E of `embedding-table-adam.ts`, and the powers of β. */
let now: u32 = 0;
let weightsAt: usize = 0;
let epsilonsAt: usize = 0;
let momentDecaysAt: usize = 0;
let squareDecaysAt: usize = 0;

/** What was read ahead. Nobody looks at it, but reading without keeping would be optimised away. */
export let fetched: u32 = 0;

export function describeTable(
  values: usize,
  present: usize,
  idleRows: bool,
  dimension: u32,
  slots: u32,
  first: u32,
  second: u32,
  rowStep: u32,
  rowOffset: u32,
  rate: f64,
): void {
  valuesAt = values;
  presentAt = present;
  idle = idleRows;
  length = dimension << 2;
  stride = length * (1 + slots) + (idleRows ? 4 : 0);
  firstKey = first;
  secondKey = second;
  every = rowStep;
  offset = rowOffset;
  learningRate = rate;
}

export function describeSteps(
  steps: u32,
  weights: usize,
  epsilons: usize,
  momentDecays: usize,
  squareDecays: usize,
): void {
  now = steps;
  weightsAt = weights;
  epsilonsAt = epsilons;
  momentDecaysAt = momentDecays;
  squareDecaysAt = squareDecays;
}

/** The embeddings of rows, which may repeat, side by side: (n) → (n, E). */
export function gather(rowsAt: usize, count: u32, gatheredAt: usize): void {
  const reach = (idle ? stride : length) - 4;
  for (let start: u32 = 0; start < count; start += block) {
    const end = min(start + block, count);
    fetch(rowsAt, start, end, reach);
    for (let index = start; index < end; index++) {
      copy(valuesAt + row(rowsAt, index) * stride, gatheredAt + index * length);
    }
  }
}

/**
 * Finds the distinct rows, in the order of their first occurrence, padding left out.
 * @param rowsAt each becomes its place among the distinct ones, and padding −1. (n)
 * @param entriesAt a row number and its place, side by side: open addressing, all zero. (2 · 2^bits)
 * @returns how many there are
 */
export function findDistinct(rowsAt: usize, count: u32, entriesAt: usize, bits: u32, distinctAt: usize): u32 {
  memory.fill(entriesAt, 0, (<usize>8) << bits);
  const mask: u32 = (1 << bits) - 1;
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const own = row(rowsAt, index);
    const to = rowsAt + (index << 2);
    if (own === paddingRow) {
      store<i32>(to, -1);
      continue;
    }
    // Multiplicative hashing (Knuth): the upper bits of the product depend on all bits of the row.
    let entry: u32 = (own * 0x9e3779b1) >>> (32 - bits);
    let other = load<u32>(entriesAt + (entry << 3));
    while (other !== own && other !== paddingRow) {
      entry = (entry + 1) & mask;
      other = load<u32>(entriesAt + (entry << 3));
    }
    if (other === paddingRow) {
      store<u32>(entriesAt + (entry << 3), own);
      store<u32>(entriesAt + (entry << 3) + 4, found);
      store<u32>(distinctAt + (found << 2), own);
      store<u32>(to, found++);
    } else {
      store<u32>(to, load<u32>(entriesAt + (entry << 3) + 4));
    }
  }
  return found;
}

/** Sums what belongs to one place: places (n), gradient (n, E) → sums (d, E). Places were given in ascending order. */
export function sumGradients(placesAt: usize, count: u32, gradientAt: usize, sumsAt: usize): void {
  let next: i32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const place = load<i32>(placesAt + (index << 2));
    if (place < 0) continue;
    const from = gradientAt + index * length;
    const to = sumsAt + <usize>place * length;
    if (place === next) {
      next++;
      copy(from, to);
    } else {
      addTo(from, to);
    }
  }
}

/** Rows (d, E) as they are looked up: places (n), −1 for padding → (n, E), zero for padding. */
export function spread(placesAt: usize, count: u32, rowsAt: usize, spreadAt: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const place = load<i32>(placesAt + (index << 2));
    const to = spreadAt + index * length;
    if (place < 0) memory.fill(to, 0, length);
    else copy(rowsAt + <usize>place * length, to);
  }
}

/** What `sumGradients` does, for places in any order. (n), gradient (n, E) → sums (d, E) */
export function sumInAnyOrder(
  placesAt: usize,
  count: u32,
  gradientAt: usize,
  sumsAt: usize,
  distinct: u32,
): void {
  memory.fill(sumsAt, 0, distinct * length);
  for (let index: u32 = 0; index < count; index++) {
    const place = load<i32>(placesAt + (index << 2));
    if (place >= 0) addTo(gradientAt + index * length, sumsAt + <usize>place * length);
  }
}

/** Duchi et al. (2011). Rows each once. (d), their summed gradients (d, E) */
export function adagrad(rowsAt: usize, count: u32, sumsAt: usize, decay: f64): void {
  for (let start: u32 = 0; start < count; start += block) {
    const end = min(start + block, count);
    fetch(rowsAt, start, end, stride - 4);
    for (let index = start; index < end; index++) {
      const value = valuesAt + row(rowsAt, index) * stride;
      const gradient = sumsAt + index * length;
      for (let place: usize = 0; place < length; place += 8) {
        const pair = length - place >= 8;
        adagradPair(value + place, gradient + place, decay, pair);
      }
    }
  }
}

function adagradPair(value: usize, gradient: usize, decay: f64, pair: bool): void {
  const parameter = read(value, pair);
  const g = f64x2.add(read(gradient, pair), f64x2.mul(f64x2.splat(decay), parameter));
  const squares = f64x2.add(read(value + length, pair), f64x2.mul(g, g));
  const change = f64x2.div(
    f64x2.mul(f64x2.splat(learningRate), g),
    f64x2.add(f64x2.sqrt(squares), f64x2.splat(adagradEpsilon)),
  );
  write(value + length, squares, pair);
  write(value, f64x2.sub(parameter, change), pair);
}

/**
 * Kingma and Ba (2015).
 * @param stepSize lr / (1 − β₁ᵗ)
 * @param scale 1 / √(1 − β₂ᵗ)
 */
export function adam(rowsAt: usize, count: u32, sumsAt: usize, stepSize: f64, scale: f64, decay: f64): void {
  for (let start: u32 = 0; start < count; start += block) {
    const end = min(start + block, count);
    fetch(rowsAt, start, end, stride - 4);
    for (let index = start; index < end; index++) {
      const own = row(rowsAt, index);
      const value = valuesAt + own * stride;
      const gradient = sumsAt + index * length;
      for (let place: usize = 0; place < length; place += 8) {
        const pair = length - place >= 8;
        adamPair(value + place, gradient + place, stepSize, scale, decay, pair);
      }
      // These rows take part in the step that ends now.
      store<u32>(value + stride - 4, now + 1);
    }
  }
}

function adamPair(value: usize, gradient: usize, stepSize: f64, scale: f64, decay: f64, pair: bool): void {
  const parameter = read(value, pair);
  const g = f64x2.add(read(gradient, pair), f64x2.mul(f64x2.splat(decay), parameter));
  const m = f64x2.add(
    f64x2.mul(f64x2.splat(beta1), read(value + length, pair)),
    f64x2.mul(f64x2.splat(1.0 - beta1), g),
  );
  const v = f64x2.add(
    f64x2.mul(f64x2.splat(beta2), read(value + 2 * length, pair)),
    f64x2.mul(f64x2.mul(f64x2.splat(1.0 - beta2), g), g),
  );
  const change = f64x2.div(
    f64x2.mul(f64x2.splat(stepSize), m),
    f64x2.add(f64x2.mul(f64x2.sqrt(v), f64x2.splat(scale)), f64x2.splat(adamEpsilon)),
  );
  write(value + length, m, pair);
  write(value + 2 * length, v, pair);
  write(value, f64x2.sub(parameter, change), pair);
}

/** @param reach distance in bytes from the start of a row to the last of its numbers that is needed */
function fetch(rowsAt: usize, start: u32, end: u32, reach: usize): void {
  let read: u32 = 0;
  let stale: u32 = 0;
  for (let index = start; index < end; index++) {
    const own = row(rowsAt, index);
    if (((load<u32>(presentAt + ((own >>> 5) << 2)) >>> (own & 31)) & 1) === 0) begin(own);
    const at = valuesAt + own * stride;
    const last = load<u32>(at + reach);
    read += load<u32>(at) + last;
    stale |= last ^ now;
  }
  fetched += read;
  if (!idle || stale === 0) return;
  for (let index = start; index < end; index++) {
    const value = valuesAt + row(rowsAt, index) * stride;
    const since = load<u32>(value + stride - 4);
    if (since === now) continue;
    move(value, since);
    store<u32>(value + stride - 4, now);
  }
}

/** Takes a row, with its moments, from the step `since` to this one. */
function move(value: usize, since: u32): void {
  const steps = now - since;
  const weight = load<f64>(weightsAt + (since << 3));
  const rate = learningRate * weight;
  const small = load<f64>(epsilonsAt + (since << 3)) / weight;
  const momentDecay = steps > horizon ? 0 : load<f64>(momentDecaysAt + (steps << 3));
  const squareDecay = load<f64>(squareDecaysAt + (steps << 3));
  for (let place: usize = 0; place < length; place += 8) {
    const pair = length - place >= 8;
    movePair(value + place, rate, small, momentDecay, squareDecay, pair);
  }
}

function movePair(value: usize, rate: f64, small: f64, momentDecay: f64, squareDecay: f64, pair: bool): void {
  const m = read(value + length, pair);
  const v = read(value + 2 * length, pair);
  const change = f64x2.div(f64x2.mul(f64x2.splat(rate), m), f64x2.add(f64x2.sqrt(v), f64x2.splat(small)));
  write(value, f64x2.sub(read(value, pair), change), pair);
  write(value + length, f64x2.mul(f64x2.splat(momentDecay), m), pair);
  write(value + 2 * length, f64x2.mul(f64x2.splat(squareDecay), v), pair);
}

/** Writes the values that a row starts with. Slots may hold what was there before a state was put back. */
function begin(own: u32): void {
  const from = valuesAt + own * stride;
  const id = own * every + offset;
  const a = mix32(id ^ firstKey);
  let counter = mix32(id + secondKey);
  for (let place: usize = 0; place < length; place += 4) {
    counter += 0x9e3779b9;
    store<f32>(from + place, <f32>(startScale * (<f64>(<i32>mix32(counter ^ a)) + 0.5)));
  }
  memory.fill(from + length, 0, stride - length);
  if (idle) store<u32>(from + stride - 4, now);
  const at = presentAt + ((own >>> 5) << 2);
  store<u32>(at, load<u32>(at) | ((<u32>1) << (own & 31)));
}

/** The last step of MurmurHash3. */
function mix32(value: u32): u32 {
  let bits = (value ^ (value >>> 16)) * 0x85ebca6b;
  bits = (bits ^ (bits >>> 13)) * 0xc2b2ae35;
  return bits ^ (bits >>> 16);
}

function row(rowsAt: usize, index: u32): u32 {
  return load<u32>(rowsAt + (index << 2));
}

/** E values. */
function copy(from: usize, to: usize): void {
  let place: usize = 0;
  for (; place + 16 <= length; place += 16) v128.store(to + place, v128.load(from + place));
  for (; place < length; place += 4) store<f32>(to + place, load<f32>(from + place));
}

/** Adds E values to others. */
function addTo(from: usize, to: usize): void {
  let place: usize = 0;
  for (; place + 16 <= length; place += 16) {
    v128.store(to + place, f32x4.add(v128.load(to + place), v128.load(from + place)));
  }
  for (; place < length; place += 4) {
    store<f32>(to + place, load<f32>(to + place) + load<f32>(from + place));
  }
}

/** Two float32 as float64, or one and a zero. */
function read(at: usize, pair: bool): v128 {
  return f64x2.promote_low_f32x4(pair ? v128.load64_zero(at) : v128.load32_zero(at));
}

function write(at: usize, values: v128, pair: bool): void {
  const rounded = f32x4.demote_f64x2_zero(values);
  if (pair) v128.store64_lane(at, rounded, 0);
  else v128.store32_lane(at, rounded, 0);
}
