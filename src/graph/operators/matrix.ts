/** Matrix products: where the floating-point operations are. */
import { apply, only, operator } from '../operator.ts';
import { type FloatTensor, type GradientRule, type Shape, scalar, sizeOf } from '../tensor.ts';
import { add, broadcast, multiply } from './elementwise.ts';
import { sum } from './reduce.ts';
import { reshape } from './shape.ts';

interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Factor on the product. */
  readonly alpha?: number;
}

/** Length of the last (0) or last but one (1) axis. */
function fromEnd(shape: Shape, axis: number): number {
  const length = shape[shape.length - 1 - axis];
  if (length === undefined) throw new Error(`[${shape}] is not a matrix`);
  return length;
}

/**
 * alpha · A B over the last two axes, either side transposed first, leading axes broadcast:
 * (…, n, k) × (…, k, m) → (…, n, m).
 */
export const matmul = operator(
  'matmul',
  (a: FloatTensor, b: FloatTensor, options: MatmulOptions = {}): FloatTensor => {
    const { transposeA = false, transposeB = false, alpha = 1 } = options;
    return product(a, b, options, (outputs) => {
      const g = only(outputs);
      const towardsA = transposeA
        ? matmul(b, g, { transposeA: transposeB, transposeB: true, alpha })
        : matmul(g, b, { transposeB: !transposeB, alpha });
      const towardsB = transposeB
        ? matmul(g, a, { transposeA: true, transposeB: transposeA, alpha })
        : matmul(a, g, { transposeA: !transposeA, alpha });
      return [towardsA, towardsB];
    });
  },
);

/** The node of `matmul`, with a gradient rule of its own. */
export function product(
  a: FloatTensor,
  b: FloatTensor,
  { transposeA = false, transposeB = false, alpha = 1 }: MatmulOptions,
  gradient: GradientRule,
): FloatTensor {
  const [rows, inner] = transposeA
    ? [fromEnd(a.shape, 0), fromEnd(a.shape, 1)]
    : [fromEnd(a.shape, 1), fromEnd(a.shape, 0)];
  const [innerB, columns] = transposeB
    ? [fromEnd(b.shape, 0), fromEnd(b.shape, 1)]
    : [fromEnd(b.shape, 1), fromEnd(b.shape, 0)];
  if (inner !== innerB)
    throw new Error(`[${a.shape}] times [${b.shape}]: inner lengths ${inner} and ${innerB}`);
  return apply(
    {
      type: 'FusedMatMul',
      domain: 'com.microsoft',
      inputs: [a, b],
      attributes: {
        transA: { kind: 'int', value: Number(transposeA) },
        transB: { kind: 'int', value: Number(transposeB) },
        alpha: { kind: 'float', value: alpha },
      },
      gradient,
    },
    'float32',
    [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns],
  );
}

/**
 * x Wᵀ over the last axis, W as PyTorch keeps it: (…, I), (O, I) → (…, O).
 * All leading axes are folded into one, so that the weight's gradient is a single large product.
 */
export function project(x: FloatTensor, weight: FloatTensor): FloatTensor {
  const width = fromEnd(x.shape, 0);
  if (fromEnd(weight.shape, 0) !== width)
    throw new Error(`[${x.shape}] does not fit a weight of [${weight.shape}]`);
  const rows = reshape(x, [sizeOf(x.shape) / width, width]);
  return reshape(matmul(rows, weight, { transposeB: true }), [
    ...x.shape.slice(0, -1),
    fromEnd(weight.shape, 1),
  ]);
}

/**
 * x Wᵀ + b over the last axis: (…, I), (O, I), (O) → (…, O). Not a Gemm: ONNX Runtime's repeats the bias for each
 * row beforehand, with one thread.
 */
export function linear(x: FloatTensor, weight: FloatTensor, bias: FloatTensor): FloatTensor {
  return add(project(x, weight), bias);
}

/** Sums over the rows (n, O) → (1, O), as a product with ones: reductions over several leading axes are slow. */
export function columnSums(x: FloatTensor): FloatTensor {
  const rows = x.shape[0]!;
  const length = apply(
    { type: 'Shape', inputs: [x], attributes: { end: { kind: 'int', value: 1 } }, gradient: null },
    'int64',
    [1],
  );
  const zeros = apply({ type: 'ConstantOfShape', inputs: [length], gradient: null }, 'float32', [rows]);
  return matmul(reshape(add(zeros, scalar(1)), [rows, 1]), x, { transposeA: true });
}

/** The product of two vectors per row: (…, d), (…, d) → (…, 1). */
export function rowDot(a: FloatTensor, b: FloatTensor): FloatTensor {
  return sum(multiply(a, b), [-1]);
}

/** a + factor · b. */
export function addScaled(a: FloatTensor, b: FloatTensor, factor: number): FloatTensor {
  return add(a, multiply(b, scalar(factor)));
}
