/**
 * A program of its own, since a broken driver may take its process along: multiplies two matrices on the
 * device that its argument names, and prints one line of JSON that says how it went.
 */
import type { InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../errors.ts';
import type { Finding } from './attempt.ts';
import { type Device, devices } from './device.ts';
import { providerOf } from './own-gpu.ts';
import { productModel, side } from './product-model.ts';
import { sendNothingHome } from './telemetry.ts';

async function probe(device: Device): Promise<Finding> {
  sendNothingHome();
  // Loaded here, so that a library which cannot be loaded is a finding too.
  const { InferenceSession, listSupportedBackends, Tensor } = await import('onnxruntime-node');
  if (!listSupportedBackends().some(({ name }) => name === device)) return { kind: 'not offered' };
  const session = await InferenceSession.create(productModel, optionsFor(device));
  const [a, b] = [matrix(1), matrix(2)];
  const shape = [side, side];
  const { y } = await session.run({ a: new Tensor('float32', a, shape), b: new Tensor('float32', b, shape) });
  const expected = multiplied(a, b);
  const wrong = expected.filter((value, index) => value !== y?.data[index]).length;
  return { kind: 'computed', wrong };
}

function optionsFor(device: Device): InferenceSession.SessionOptions {
  // Without this, ONNX Runtime quietly computes on the CPU what a device lacks.
  const alone = device === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } };
  return { executionProviders: [providerOf(device)], logSeverityLevel: 3, intraOpNumThreads: 1, ...alone };
}

/** Eighths from -1 to 1: their sums of products are exact in every precision that devices compute with. */
function matrix(seed: number): Float32Array {
  return Float32Array.from(
    { length: side * side },
    (_, index) => (((index * index + seed * index) % 17) - 8) / 8,
  );
}

function multiplied(a: Float32Array, b: Float32Array): Float32Array {
  return Float32Array.from({ length: side * side }, (_, index) => {
    const [row, column] = [Math.floor(index / side), index % side];
    let sum = 0;
    for (let k = 0; k < side; k++) sum += a[row * side + k]! * b[k * side + column]!;
    return sum;
  });
}

const device = devices.find((name) => name === process.argv[2]) ?? 'cpu';
const finding = await probe(device).catch(
  (error: unknown): Finding => ({ kind: 'failed', message: messageOf(error) }),
);
// A line of its own, whatever a driver has printed before.
process.stdout.write(`\n${JSON.stringify(finding)}\n`);
