/** The compute thread: holds the ONNX Runtime sessions and the state they train. */

import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../../errors.ts';
import { answerMessages } from '../../thread-end.ts';
import type { Device } from '../device.ts';
import { copyOf, free, handOver, isShared } from '../hand-over.ts';
import type { DataType } from '../model.ts';
import { faultOf, ModelError } from '../model-error.ts';
import { providerOf } from '../own-gpu.ts';
import { keptPrefix, type NamedValues, nextPrefix, shapeOf, type Values } from '../protocol.ts';
import type { Reply, Request, ThreadOptions } from './messages.ts';

/**
 * Two sets of buffers: a step reads `current` and writes `spare`, then they change places. Nothing is
 * allocated per step, and no output ever aliases an input.
 */
interface State {
  current: Map<string, Tensor>;
  spare: Map<string, Tensor>;
  /** Outputs that wait for the model that takes them. */
  kept: Map<string, Tensor>;
}

interface LoadedSession {
  readonly session: InferenceSession;
  readonly request: Extract<Request, { kind: 'load' }>;
  /** Inputs that stay from run to run. */
  held: NamedValues;
}

const options: ThreadOptions = workerData;
const sessions = new Map<number, LoadedSession>();
const states = new Map<number, State>();

function required<T>(map: Map<number, T>, key: number, what: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Error(`${what} ${key} is not loaded`);
  return value;
}

/** What ONNX Runtime should do differently on a device. */
const deviceOptions: Readonly<Partial<Record<Device, InferenceSession.SessionOptions>>> = {
  // It would make one operator of an addition and a layer normalisation, which on WebGPU leaves out the inverse
  // deviation that the gradient needs.
  webgpu: { extra: { optimization: { disable_specified_optimizers: 'SkipLayerNormFusion' } } },
};

async function load(request: Extract<Request, { kind: 'load' }>): Promise<NamedValues> {
  const session = await InferenceSession.create(request.model.bytes, {
    executionProviders: [providerOf(options.device)],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // It would take the memory of a run a second time, in one piece, and saves no time that can be measured.
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...deviceOptions[options.device],
  }).catch((error: unknown) => {
    throw faultOf(error);
  });
  sessions.set(request.session, { session, request, held: {} });
  return {};
}

function tensorOf(type: DataType, values: Values, shape: readonly number[]): Tensor {
  // The binding does not take shared memory.
  return new Tensor(type, isShared(values) ? copyOf(values) : values, shape);
}

function hold(id: number, feeds: NamedValues): NamedValues {
  const loaded = required(sessions, id, 'session');
  free(Object.values(loaded.held));
  loaded.held = feeds;
  return {};
}

async function run(id: number, feeds: NamedValues): Promise<NamedValues> {
  const { session, request, held } = required(sessions, id, 'session');
  const { inputs, outputs } = request.model;
  const state = request.state === null ? undefined : required(states, request.state, 'state');
  const given: Record<string, Tensor> = {};
  for (const [name, description] of Object.entries(inputs)) {
    const values = feeds[name] ?? held[name];
    const trained = state?.current.get(name) ?? state?.kept.get(name);
    if (values !== undefined)
      given[name] = tensorOf(description.type, values, shapeOf(name, values, description));
    else if (trained !== undefined) given[name] = trained;
    else throw new Error(`input ${name} is missing`);
  }
  const fetches: Record<string, Tensor | null> = {};
  for (const name of Object.keys(outputs)) {
    fetches[name] = name.startsWith(nextPrefix)
      ? (state?.spare.get(name.slice(nextPrefix.length)) ?? null)
      : null;
  }
  const results = await session.run(given, fetches).catch((error: unknown) => {
    throw faultOf(error);
  });
  free(Object.values(feeds));
  if (state !== undefined) swapUpdated(state, Object.keys(outputs));
  for (const name of Object.keys(inputs)) state?.kept.delete(name);
  const values: Record<string, Values> = {};
  for (const name of Object.keys(outputs)) {
    const result = results[name];
    if (state !== undefined && result !== undefined && name.startsWith(keptPrefix)) {
      state.kept.set(name, result);
      continue;
    }
    const data = results[name]?.data;
    if (name.startsWith(nextPrefix) || data === undefined) continue;
    values[name] = plainValues(name, data);
  }
  return values;
}

function swapUpdated(state: State, outputs: readonly string[]): void {
  for (const output of outputs) {
    if (!output.startsWith(nextPrefix)) continue;
    const name = output.slice(nextPrefix.length);
    const [before, after] = [state.current.get(name), state.spare.get(name)];
    if (before === undefined || after === undefined) throw new Error(`${output} has no state to update`);
    state.current.set(name, after);
    state.spare.set(name, before);
  }
}

function plainValues(name: string, data: Tensor['data']): Values {
  if (data instanceof Float32Array || data instanceof Int32Array) return data;
  if (data instanceof Uint8Array || data instanceof BigInt64Array) return data;
  throw new ModelError(`output ${name} is of a type that is not handed over`);
}

function writeState(id: number, values: Readonly<Record<string, Float32Array>>): NamedValues {
  releaseState(id);
  const state: State = { current: new Map(), spare: new Map(), kept: new Map() };
  for (const [name, data] of Object.entries(values)) {
    state.current.set(name, new Tensor('float32', data, [data.length]));
    state.spare.set(name, new Tensor('float32', new Float32Array(data.length), [data.length]));
  }
  states.set(id, state);
  return {};
}

function readState(id: number, names: readonly string[] | null): NamedValues {
  const { current } = required(states, id, 'state');
  // Copies, since answers are handed over, and the state stays.
  return Object.fromEntries(
    [...current]
      .filter(([name]) => names?.includes(name) ?? true)
      .map(([name, tensor]) => [name, plainValues(name, tensor.data).slice()]),
  );
}

function releaseState(id: number): NamedValues {
  const state = states.get(id);
  states.delete(id);
  const tensors = [...(state?.current ?? []), ...(state?.spare ?? [])];
  free(tensors.map(([name, { data }]) => plainValues(name, data)));
  return {};
}

async function release(id: number): Promise<NamedValues> {
  await required(sessions, id, 'session').session.release();
  sessions.delete(id);
  return {};
}

async function answer(request: Request): Promise<NamedValues> {
  switch (request.kind) {
    case 'load':
      return load(request);
    case 'hold':
      return hold(request.session, request.feeds);
    case 'run':
      return run(request.session, request.feeds);
    case 'release':
      return release(request.session);
    case 'writeState':
      return writeState(request.state, request.values);
    case 'readState':
      return readState(request.state, request.names);
    case 'releaseState':
      return releaseState(request.state);
  }
}

/**
 * Requests are answered one after the other, in the order in which they came. Answers are handed over: ONNX Runtime
 * makes each output anew, and what is read of a state is a copy.
 */
let queue = Promise.resolve();

answerMessages(({ id, request }: { id: number; request: Request }) => {
  queue = queue.then(async () => {
    const send = (reply: Reply, buffers: readonly ArrayBuffer[] = []) =>
      parentPort?.postMessage(reply, buffers);
    try {
      if (Atomics.load(options.closed, 0) === 1) throw new Error('nobody waits for it');
      const { values, buffers } = handOver(await answer(request));
      send({ id, ok: true, values }, buffers);
    } catch (error) {
      send({ id, ok: false, message: messageOf(error), ofModel: error instanceof ModelError });
    }
  });
});
