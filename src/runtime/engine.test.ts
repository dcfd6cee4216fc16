import { runInThisContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelFile, node, value, weights } from '../../test/support/onnx-graphs.ts';
import { runningSum } from '../../test/support/running-sum.ts';
import { trainSmallModel } from '../../test/support/small-training.ts';
import { elementTypes } from '../graph/onnx-schema.ts';
import { bindings } from './binding.ts';
import { Engine } from './engine.ts';
import type { DataType, Model } from './model.ts';
import { ModelError } from './model-error.ts';
import type { Values } from './protocol.ts';

const [one, two, three] = [1, 2, 3].map((times) => Float32Array.of(1, 10, 100).map((x) => times * x));

/** y = x, for rows of two. */
function identity(type: DataType, shape: readonly number[] = [1, 2]): Model {
  const axes = shape.map((length, axis) => (axis === 0 ? 'n' : length));
  const graph = {
    input: [value('x', axes, elementTypes[type])],
    node: [node('Identity', ['x'], ['y'])],
    output: [value('y', axes, elementTypes[type])],
  };
  const description = { type, shape };
  return { encode: () => modelFile(graph), inputs: { x: description }, outputs: { y: description } };
}

/** The same model with another name for its input or output. */
function renamed(model: Model, from: 'x' | 'y', to: string): Model {
  const swapped = (name: string) => (name === from ? to : name);
  const named = <T>(values: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(values).map(([name, each]) => [swapped(name), each]));
  const graph = {
    input: [value(swapped('x'), ['n', 2])],
    node: [node('Identity', [swapped('x')], [swapped('y')])],
    output: [value(swapped('y'), ['n', 2])],
  };
  return { encode: () => modelFile(graph), inputs: named(model.inputs), outputs: named(model.outputs) };
}

const float = (shape: readonly number[]) => ({ type: 'float32', shape }) as const;

/** y = products of x with a matrix, one after the other: the longer, the more there are. */
function products(count: number): Model {
  const names = Array.from({ length: count + 1 }, (_, index) => (index === 0 ? 'x' : `p${index}`));
  const last = names.at(-1)!;
  const graph = {
    input: [value('x', [256, 256])],
    node: [
      ...names.slice(1).map((name, index) => node('MatMul', [names[index]!, 'w'], [name])),
      node('Identity', [last], ['y']),
    ],
    initializer: [weights('w', [256, 256])],
    output: [value('y', [256, 256])],
  };
  const shape = [256, 256];
  return { encode: () => modelFile(graph), inputs: { x: float(shape) }, outputs: { y: float(shape) } };
}

/** A page. TypeScript knows WebAssembly of browsers alone. */
function webAssemblyMemory(options: { readonly shared: boolean }): ArrayBufferLike {
  const descriptor = JSON.stringify({ initial: 1, maximum: 2, ...options });
  return runInThisContext(`new WebAssembly.Memory(${descriptor}).buffer`);
}

const square = () => new Float32Array(256 * 256).fill(1e-3);

describe.each(bindings)('an engine on %s', (binding) => {
  let engine: Engine;
  beforeAll(() => {
    engine = Engine.start({ threads: 1, binding });
  });
  afterAll(() => engine.close());

  const runningSession = async () => {
    const state = await engine.createState({ sum: new Float32Array(3) });
    return { state, session: await engine.load(runningSum(), state) };
  };

  it('hands over neither the state itself nor values that are held', async () => {
    const { state, session } = await runningSession();
    await session.hold({ x: one! });
    expect(await session.run({})).toEqual({ y: one });
    expect(await state.read()).toEqual({ sum: one });
    expect(await state.read()).toEqual({ sum: one });
    expect(await session.run({})).toEqual({ y: two });
    expect(await session.run({})).toEqual({ y: three });
    expect(await state.read()).toEqual({ sum: three });
  });

  it('keeps outputs whose name says so for the model that takes them, once, and hands none over', async () => {
    const keeping = renamed(identity('float32'), 'y', 'kept.y');
    const taking = renamed(identity('float32'), 'x', 'kept.y');
    const state = await engine.createState({});
    const [first, second] = [await engine.load(keeping, state), await engine.load(taking, state)];
    expect(await first.run({ x: Float32Array.of(1, 2) })).toEqual({});
    expect(await first.run({ x: Float32Array.of(3, 4, 5, 6) })).toEqual({});
    expect(await second.run({})).toEqual({ y: Float32Array.of(3, 4, 5, 6) });
    await expect(second.run({})).rejects.toThrow('kept.y is missing');
    await first.run({ x: Float32Array.of(7, 8) });
    await state.release();
  });

  it('has engines of a thread each beside it, which compute at the same time and end with it', async () => {
    const owner = Engine.start({ threads: 1, binding });
    const cores = owner.perCore(2);
    expect(owner.perCore(2)).toEqual(cores);
    expect(cores.map(({ threads }) => threads)).toEqual([1, 1]);
    const sessions = await Promise.all(cores.map((core) => core.load(identity('float32'))));
    const results = await Promise.all(
      sessions.map((session, core) => session.run({ x: Float32Array.of(core, 2) })),
    );
    expect(results).toEqual([0, 1].map((core) => ({ y: Float32Array.of(core, 2) })));
    await owner.close();
    await expect(sessions[1]!.run({ x: one!.subarray(0, 2) })).rejects.toThrow('ended');
  });

  it('lets a state be written anew, released, and made again', async () => {
    const shared = Float32Array.of(5, 6, 7);
    const state = await engine.createState({ sum: shared, best: shared });
    await state.write({ sum: one! });
    expect(await state.read()).toEqual({ sum: one });
    await state.release();
    await state.release();
    const other = await engine.createState({ sum: shared, best: shared });
    expect(await other.read()).toEqual({ sum: shared, best: shared });
    await other.release();
  });

  it('hands over arrays that fill their memory alone', async () => {
    const { state, session } = await runningSession();
    const { y } = await session.run({ x: one! });
    expect(await state.read(['another'])).toEqual({});
    const { sum } = await state.read(['sum']);
    expect([y!.buffer.byteLength, sum!.buffer.byteLength]).toEqual([12, 12]);
  });

  it('comes to the same from values that it was handed, which are gone here, and from copies', async () => {
    const { session } = await runningSession();
    const [copied, given, part] = [one!.slice(), one!.slice(), Float32Array.of(1, 10, 100, 7)];
    expect(await session.run({ x: copied })).toEqual({ y: one });
    expect(await session.run({}, { x: given })).toEqual({ y: two });
    expect(await session.run({}, { x: part.subarray(0, 3) })).toEqual({ y: three });
    expect([copied.length, given.length, part.length]).toEqual([3, 0, 4]);
  });

  it('has copied what it was given when run returns, so that the caller may write there again', async () => {
    const { session } = await runningSession();
    const x = one!.slice();
    const running = session.run({ x });
    x.fill(-1);
    expect(await running).toEqual({ y: one });
  });

  it.each([
    ['float32', Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY, 2 ** -149)],
    ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, -1)],
    ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n)],
    ['uint8', Uint8Array.of(0, 255, 7, 8)],
    ['bool', Uint8Array.of(0, 1, 1, 0)],
  ] as const)('takes and gives %s', async (type, x) => {
    const session = await engine.load(identity(type));
    expect(await session.run({ x })).toEqual({ y: x });
    expect(await session.run({}, { x: x.slice() })).toEqual({ y: x });
    await session.release();
  });

  it('takes and gives scalars, empty tensors, and parts of a pool as Node keeps them', async () => {
    const scalar = await engine.load(identity('float32', []));
    expect(await scalar.run({ x: Float32Array.of(7) })).toEqual({ y: Float32Array.of(7) });
    const rows = await engine.load(identity('float32'));
    expect(await rows.run({ x: new Float32Array(0) })).toEqual({ y: new Float32Array(0) });
    const bytes = await engine.load(identity('uint8'));
    expect(await bytes.run({ x: Buffer.from([1, 2]) })).toEqual({ y: Uint8Array.of(1, 2) });
  });

  it('reads shared memory where it lies, also that of WebAssembly', async () => {
    const session = await engine.load(identity('float32'));
    for (const buffer of [new SharedArrayBuffer(64), webAssemblyMemory({ shared: true })]) {
      const x = new Float32Array(buffer, 16, 4).fill(3);
      await session.hold({ x });
      expect(await session.run({})).toEqual({ y: Float32Array.of(3, 3, 3, 3) });
      x.fill(4);
      expect(await session.run({})).toEqual({ y: Float32Array.of(4, 4, 4, 4) });
      expect(await session.run({}, { x })).toEqual({ y: Float32Array.of(4, 4, 4, 4) });
      expect(x.length).toBe(4);
    }
    const own = new Float32Array(webAssemblyMemory({ shared: false }), 8, 2).fill(5);
    expect(await session.run({ x: own })).toEqual({ y: Float32Array.of(5, 5) });
  });

  it('hands over outputs that are an input or a constant of the model', async () => {
    const graph = {
      input: [value('x', [2])],
      node: [node('Add', ['x', 'w'], ['y'])],
      initializer: [weights('w', [2])],
      output: [value('x', [2]), value('w', [2]), value('y', [2])],
    };
    const two = float([2]);
    const model = { encode: () => modelFile(graph), inputs: { x: two }, outputs: { x: two, w: two, y: two } };
    const session = await engine.load(model);
    const { x, w, y } = await session.run({ x: Float32Array.of(1, 2) });
    expect(x).toEqual(Float32Array.of(1, 2));
    expect(y).toEqual(Float32Array.from([1, 2], (each, at) => each + Number(w![at])));
  });

  it('gives what a model computes, also where its file promises another shape', async () => {
    const graph = {
      input: [value('x', ['n']), value('shape', ['axes'], elementTypes.int64)],
      node: [node('Reshape', ['x', 'shape'], ['y'])],
      output: [value('y', [3, 1])],
    };
    const inputs = { x: float([1]), shape: { type: 'int64', shape: [1] } } as const;
    const session = await engine.load({
      encode: () => modelFile(graph),
      inputs,
      outputs: { y: float([3, 1]) },
    });
    const shapes = [
      [3, 1],
      [3, 1],
      [2, 2],
      [1, 3],
    ] as const;
    for (const [rows, columns] of shapes) {
      const x = Float32Array.from({ length: rows * columns }, (_, index) => index);
      const shape = BigInt64Array.of(BigInt(rows), BigInt(columns));
      expect(await session.run({ x, shape })).toEqual({ y: x });
    }
  });

  it.each<[string, Readonly<Record<string, Values>>, string]>([
    ['without an input', { other: one! }, 'input x is missing'],
    ['with too few values', { x: Float32Array.of(1) }, 'input x: 1 values do not fill [1,2]'],
    [
      'with values of another type',
      { x: Int32Array.of(1, 2) },
      'input x: float32 comes as Float32Array, not as Int32Array',
    ],
  ])('refuses a run %s, and goes on', async (_, feeds, message) => {
    const session = await engine.load(identity('float32'));
    await expect(session.run(feeds)).rejects.toThrow(message);
    await expect(session.run({}, feeds)).rejects.toThrow(message);
    expect(await session.run({ x: Float32Array.of(1, 2) })).toEqual({ y: Float32Array.of(1, 2) });
  });

  it('writes an output into an array that it is given, in memory that is shared or not, at every run', async () => {
    const session = await engine.load(products(1));
    const own = new Float32Array(256 * 256);
    const shared = new Float32Array(new SharedArrayBuffer(2 ** 19), 64, 256 * 256);
    for (const scale of [1, 2]) {
      const x = square().fill(scale);
      const { y: expected } = await session.run({ x });
      for (const y of [own, shared]) {
        y.fill(7);
        const { y: written } = await session.run({ x }, {}, { y });
        expect(written).toBe(y);
        expect(written).toEqual(expected);
      }
    }
  });

  it.each([
    ['of another length', { y: new Float32Array(256) }, 'output y: 65536 float32 cannot be written into 256'],
    ['of another type', { y: new Int32Array(256 * 256) }, 'cannot be written into 65536 of Int32Array'],
    ['for no output', { z: new Float32Array(256) }, 'there is no output z'],
  ])('refuses to write into an array %s, and goes on', async (_, into, message) => {
    const session = await engine.load(products(1));
    await expect(session.run({ x: square() }, {}, into)).rejects.toThrow(message);
    const room = new Float32Array(256 * 256);
    const { y } = await session.run({ x: square() }, {}, { y: room });
    expect(y).toBe(room);
  });

  it('refuses values that were handed over before', async () => {
    const session = await engine.load(identity('float32'));
    const x = Float32Array.of(1, 2);
    await session.run({}, { x });
    await expect(session.run({ x })).rejects.toThrow('input x: its values are gone');
  });

  it("calls what ONNX Runtime does not take the model's fault, in its words", async () => {
    const broken = { ...identity('float32'), encode: () => new Uint8Array(8) };
    const refused = await engine.load(broken).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ModelError);
    expect(refused).toHaveProperty('message', expect.stringMatching(/protobuf/i));
    const belied = { ...identity('float32'), inputs: { x: { type: 'int32', shape: [1, 2] } } } as const;
    const session = await engine.load(belied);
    const failed = await session.run({ x: Int32Array.of(1, 2) }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ModelError);
    expect(failed).toHaveProperty('message', expect.stringContaining('Unexpected input data type'));
  });

  it('refuses outputs of types that it does not hand over', async () => {
    const graph = {
      input: [value('x', ['n'])],
      node: [node('Cast', ['x'], ['y'], { to: 11 })],
      output: [value('y', ['n'], 11)],
    };
    const model = { ...identity('float32', [1]), encode: () => modelFile(graph) };
    const session = await engine.load(model);
    await expect(session.run({ x: one! })).rejects.toThrow('output y is of a type that is not handed over');
  });

  it('keeps the state as it was where a run fails', async () => {
    const { state, session } = await runningSession();
    await session.run({ x: one! });
    const other = await engine.createState({ sum: Float32Array.of(1, 2) });
    const mismatched = await engine.load(runningSum(), other);
    await expect(mismatched.run({ x: one! })).rejects.toBeInstanceOf(ModelError);
    expect(await other.read()).toEqual({ sum: Float32Array.of(1, 2) });
    expect(await state.read()).toEqual({ sum: one });
  });

  it('answers what came first, first: runs of one session, of others, and looks at a state', async () => {
    const { state, session } = await runningSession();
    const other = await engine.load(products(2));
    const order: string[] = [];
    const noted = async <Result>(name: string, work: Promise<Result>) => {
      const result = await work;
      order.push(name);
      return result;
    };
    const [first, , before, second, after] = await Promise.all([
      noted('first', session.run({ x: one! })),
      noted('other', other.run({ x: square() })),
      noted('before', state.read()),
      noted('second', session.run({ x: one! })),
      noted('after', state.read()),
    ]);
    expect(order).toEqual(['first', 'other', 'before', 'second', 'after']);
    expect([first, before, second, after]).toEqual([{ y: one }, { sum: one }, { y: two }, { sum: two }]);
  });

  it('leaves the event loop to others while it computes', async () => {
    const session = await engine.load(products(100));
    const events: string[] = [];
    const running = session.run({ x: square() }).then(() => events.push('computed'));
    await new Promise((resolve) => setImmediate(resolve));
    events.push('another turn of the loop');
    await running;
    expect(events).toEqual(['another turn of the loop', 'computed']);
  });

  it('refuses to run, and to hold values for, a session that was released', async () => {
    const session = await engine.load(identity('float32'));
    await session.hold({ x: Float32Array.of(1, 2) });
    await session.release();
    await session.release();
    await expect(session.run({})).rejects.toThrow();
    await expect(session.hold({ x: Float32Array.of(1, 2) })).rejects.toThrow();
  });

  it('that is closed in the middle of runs ends them all, which may be looked at then, and takes no others', async () => {
    const closing = Engine.start({ threads: 1, binding });
    const session = await closing.load(products(400));
    const runs = [session.run({ x: square() }), session.run({ x: square() })];
    await new Promise((resolve) => setImmediate(resolve));
    await closing.close();
    for (const run of runs) await expect(run).rejects.toThrow('the compute thread ended');
    await expect(session.run({ x: square() })).rejects.toThrow('the compute thread ended');
    await expect(closing.load(products(1))).rejects.toThrow('the compute thread ended');
    await closing.close();
  });

  it('keeps no memory from run to run', async () => {
    const session = await engine.load(identity('float32', [1, 64]));
    const x = new Float32Array(64 * 64).fill(1);
    const repeat = async (count: number) => {
      for (let index = 0; index < count; index++) await session.run({ x });
    };
    await repeat(2000);
    const before = process.memoryUsage.rss();
    await repeat(10_000);
    // 10,000 runs read and write 330 MB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
  });
});

describe('engines on all bindings', () => {
  it.each([1, 2])('train and embed alike, to the last bit: threads %i', async (threads) => {
    const [first, ...others] = await Promise.all(
      bindings.map((binding) => trainSmallModel('cpu', 'vit', { threads, binding })),
    );
    for (const other of others) expect(other).toEqual(first);
  });
});
