/** A few training steps of a small transformer, to be compared between devices. */
import {
  add,
  gather,
  l2Normalize,
  linear,
  logSumExp,
  matmul,
  mean,
  multiply,
  project,
  relu,
  reshape,
  softmax,
  subtract,
  sum,
  transpose,
} from '../../src/graph/operators/index.ts';
import { createOptimizer } from '../../src/graph/optimizers.ts';
import { glorot, initialValues, normal, zeros } from '../../src/graph/parameters.ts';
import { type FloatTensor, input, parameter } from '../../src/graph/tensor.ts';
import { buildTrainingStep, scalarFeeds } from '../../src/graph/training-step.ts';
import { Random } from '../../src/random.ts';
import type { Device } from '../../src/runtime/devices.ts';
import { Engine, floats } from '../../src/runtime/engine.ts';

export interface SmallTraining {
  readonly losses: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const [batch, words, width, heads, vocabulary, classes] = [8, 6, 16, 2, 20, 5];

/** Trains to tell classes of word sequences, for three steps of AdamW. */
export async function trainSmallModel(device: Device): Promise<SmallTraining> {
  const random = Random.seeded(1, 'small training');
  const optimizer = createOptimizer({ name: 'adamw', weightDecay: 0.01 });
  const step = buildTrainingStep(crossEntropy(classify()), { optimizer, clipNorm: 1 });
  const before = initialValues(step.parameters, random);
  const slots = optimizer.slots.map((slot) => [slot, new Float32Array(before.length)]);
  const engine = Engine.start({ threads: 1, device });
  try {
    const state = await engine.createState({ parameters: before, ...Object.fromEntries(slots) });
    const session = await engine.load(step.model, state);
    const losses: number[] = [];
    for (let count = 1; count <= 3; count++) {
      const feeds = { ...drawBatch(random), ...scalarFeeds(optimizer, count, 0.01) };
      losses.push(floats(await session.run(feeds), 'loss')[0]!);
    }
    const { parameters } = await state.read();
    return { losses, before: [...before], after: [...parameters!] };
  } finally {
    await engine.close();
  }
}

/** Class scores (B, C) of word sequences. */
function classify(): FloatTensor {
  const ids = input('ids', 'int32', [batch, words]);
  const x = gather(parameter('table', [vocabulary, width], normal(1)), ids); // (B, T, W)
  const attended = l2Normalize(add(x, attention(x)));
  const pooled = reshape(mean(relu(projected('hidden', attended)), [1]), [batch, width]);
  return linear(
    pooled,
    parameter('head.weight', [classes, width], glorot),
    parameter('head.bias', [classes], zeros),
  );
}

function attention(x: FloatTensor): FloatTensor {
  const length = width / heads;
  const split = (y: FloatTensor) => transpose(reshape(y, [batch, words, heads, length]), [0, 2, 1, 3]);
  const part = (name: string) => split(projected(name, x)); // (B, H, T, D)
  const weights = softmax(matmul(part('query'), part('key'), { transposeB: true, alpha: length ** -0.5 }));
  return reshape(transpose(matmul(weights, split(x)), [0, 2, 1, 3]), [batch, words, width]);
}

function projected(name: string, x: FloatTensor): FloatTensor {
  return project(x, parameter(`${name}.weight`, [width, width], glorot));
}

function crossEntropy(scores: FloatTensor): FloatTensor {
  const given = sum(multiply(scores, input('classes', 'float32', [batch, classes])), [-1]); // (B, 1)
  return reshape(mean(subtract(logSumExp(scores, [-1]), given), [0]), []);
}

function drawBatch(random: Random) {
  const ids = Int32Array.from({ length: batch * words }, () => random.integer(vocabulary));
  const oneHot = new Float32Array(batch * classes);
  for (let row = 0; row < batch; row++) oneHot[row * classes + random.integer(classes)] = 1;
  return { ids, classes: oneHot };
}
