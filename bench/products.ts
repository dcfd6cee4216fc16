/** The machine's speed at matrix products: what other speeds are told in. */
import { buildModel } from '../src/graph/onnx.ts';
import { matmul, sumAll } from '../src/graph/operators/index.ts';
import { type FloatTensor, input } from '../src/graph/tensor.ts';
import type { Engine } from '../src/runtime/engine.ts';

/** Rows, width and inner width of pairs of products: what ONNX Runtime is best at, squares and the encoder's own. */
const peakShapes: readonly (readonly [number, number, number])[] = [
  [512, 512, 512],
  [1024, 1024, 1024],
  [1024, 128, 512],
  [2048, 128, 512],
  [2048, 256, 1024],
];

/** @returns a function that runs chains of all shapes some times and gives the best flops per second of any */
export async function startProducts(engine: Engine, shapes = peakShapes): Promise<() => Promise<number>> {
  const chains = await Promise.all(shapes.map((shape) => productChain(engine, ...shape)));
  return async () => {
    const rates: number[] = [];
    for (const chain of chains) rates.push(await chain());
    return Math.max(...rates);
  };
}

/**
 * Products one after the other inside one graph, there and back between two widths, so that nothing but products
 * is measured.
 * @returns a function that runs them some times and gives the best flops per second
 */
async function productChain(
  engine: Engine,
  rows: number,
  width: number,
  inner: number,
): Promise<() => Promise<number>> {
  const pairFlops = 4 * rows * width * inner;
  const pairs = Math.max(2, Math.round(2 ** 32 / pairFlops));
  const start = input('x', 'float32', [rows, width]);
  const [up, down] = [input('up', 'float32', [width, inner]), input('down', 'float32', [inner, width])];
  let x: FloatTensor = start;
  for (let pair = 0; pair < pairs; pair++) x = matmul(matmul(x, up), down);
  const session = await engine.load(buildModel({ outputs: { y: sumAll(x) } }));
  const feeds = {
    x: new Float32Array(rows * width).fill(1e-3),
    up: new Float32Array(width * inner).fill(1 / width),
    down: new Float32Array(width * inner).fill(1 / inner),
  };
  return async () => {
    const seconds: number[] = [];
    for (let repetition = 0; repetition < 8; repetition++) {
      const before = performance.now();
      await session.run(feeds);
      seconds.push((performance.now() - before) / 1000);
    }
    return (pairs * pairFlops) / Math.min(...seconds);
  };
}
