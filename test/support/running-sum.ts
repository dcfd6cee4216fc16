/** The smallest model that has a state: it adds what it is fed, and says where it stands. */
import { buildModel } from '../../src/graph/onnx.ts';
import { add } from '../../src/graph/operators/index.ts';
import { input } from '../../src/graph/tensor.ts';

/** Takes `x` (3) and the state vector `sum` (3); gives `y` = sum + x, which is the next sum. */
export function runningSum() {
  const y = add(input('sum', 'float32', [3]), input('x', 'float32', [3]));
  return buildModel({ outputs: { y, 'next.sum': y } });
}
