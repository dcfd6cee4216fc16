/** Computes a product once: with the binding that is its first argument, in the main thread or, after `thread`, in another one. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker } from 'node:worker_threads';
import { bindings } from '../../src/runtime/binding.ts';
import { Engine } from '../../src/runtime/engine.ts';
import { productModel, side } from '../../src/runtime/product-model.ts';

const [, , wanted, where = 'main'] = process.argv;
const tensor = { type: 'float32', shape: [side, side] } as const;

async function compute(): Promise<void> {
  const binding = bindings.find((one) => one === wanted);
  if (binding === undefined) throw new Error(`there is no binding ${wanted}`);
  const engine = Engine.start({ threads: 1, binding });
  const inputs = { a: tensor, b: tensor };
  const session = await engine.load({
    encode: () => new Uint8Array(productModel),
    inputs,
    outputs: { y: tensor },
  });
  const ones = new Float32Array(side * side).fill(1);
  const { y } = await session.run({ a: ones, b: ones });
  await session.release();
  await engine.close();
  process.stdout.write(`${y?.[0]}\n`);
}

if (where === 'thread' && isMainThread) {
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const words = [loader, fileURLToPath(import.meta.url)].map((path) => JSON.stringify(path));
  new Worker(`require(${words[0]}).register(); require(${words[1]});`, {
    eval: true,
    argv: [wanted, where],
  });
} else {
  void compute();
}
