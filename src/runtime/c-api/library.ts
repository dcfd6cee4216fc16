/** ONNX Runtime's own library, found in the package of its binding for Node and called through its C interface. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { type Koffi, keepLoaded, loadKoffi } from '../../koffi.ts';
import { sendNothingHome } from '../telemetry.ts';

/** An address. Where a function takes one, it takes an array too, whose memory it then reads or writes in place. */
export type Pointer = bigint;
export type Memory = Pointer | NodeJS.TypedArray;

/** null for success. */
export type Status = Pointer | null;

/** What is used of the C interface; `out` is where a function writes what it makes. */
export interface Api {
  /** The address of an array's memory, which stays where it is as long as somebody holds the array. */
  addressOf(memory: NodeJS.TypedArray): Pointer;
  /** The memory at an address, as it is there. */
  viewOf(address: Pointer, bytes: number): ArrayBuffer;
  textAt(address: Pointer): string;

  getErrorMessage(status: Pointer): string;
  releaseStatus(status: Pointer): void;

  createThreadingOptions(out: Memory): Status;
  setGlobalIntraOpNumThreads(options: Pointer, threads: number): Status;
  setGlobalInterOpNumThreads(options: Pointer, threads: number): Status;
  releaseThreadingOptions(options: Pointer): void;
  createEnvWithGlobalThreadPools(severity: number, name: string, options: Pointer, out: Memory): Status;
  createCpuMemoryInfo(allocator: number, type: number, out: Memory): Status;
  getAllocatorWithDefaultOptions(out: Memory): Status;
  allocatorFree(allocator: Pointer, memory: Pointer): Status;

  createSessionOptions(out: Memory): Status;
  setSessionGraphOptimizationLevel(options: Pointer, level: number): Status;
  setSessionLogSeverityLevel(options: Pointer, severity: number): Status;
  disableMemPattern(options: Pointer): Status;
  disablePerSessionThreads(options: Pointer): Status;
  setIntraOpNumThreads(options: Pointer, threads: number): Status;
  setInterOpNumThreads(options: Pointer, threads: number): Status;
  releaseSessionOptions(options: Pointer): void;

  createSessionFromArray(
    environment: Pointer,
    model: Memory,
    bytes: number,
    options: Pointer,
    out: Memory,
  ): Status;
  sessionGetOutputCount(session: Pointer, out: Memory): Status;
  sessionGetOutputName(session: Pointer, index: number, allocator: Pointer, out: Memory): Status;
  sessionGetOutputTypeInfo(session: Pointer, index: number, out: Memory): Status;
  releaseSession(session: Pointer): void;

  /** The result belongs to the type and is not released. */
  castTypeInfoToTensorInfo(type: Pointer, out: Memory): Status;
  getTensorElementType(info: Pointer, out: Memory): Status;
  getTensorShapeElementCount(info: Pointer, out: Memory): Status;
  getDimensionsCount(info: Pointer, out: Memory): Status;
  getDimensions(info: Pointer, out: Memory, count: number): Status;
  releaseTypeInfo(type: Pointer): void;
  releaseTensorTypeAndShapeInfo(info: Pointer): void;

  createTensorWithDataAsOrtValue(
    memoryInfo: Pointer,
    data: Memory,
    bytes: number,
    shape: Memory,
    axes: number,
    type: number,
    out: Memory,
  ): Status;
  getTensorTypeAndShape(value: Pointer, out: Memory): Status;
  getTensorMutableData(value: Pointer, out: Memory): Status;
  releaseValue(value: Pointer): void;

  createRunOptions(out: Memory): Status;
  runOptionsSetTerminate(options: Pointer): Status;
  releaseRunOptions(options: Pointer): void;
  run(
    session: Pointer,
    options: Pointer,
    inputNames: Memory,
    inputs: Memory,
    inputCount: number,
    outputNames: Memory,
    outputCount: number,
    outputs: Memory,
  ): Status;
}

export type Library = { readonly api: Api } | { readonly reason: string };

let opened: Library | null = null;

/** The library, opened once for each thread of JavaScript; or why it cannot be had here. */
export function openLibrary(): Library {
  opened ??= open();
  return opened;
}

function open(): Library {
  try {
    return { api: apiOf(loadKoffi(), pathOfLibrary()) };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

/**
 * Native code runs on a stack of koffi's making. This much is reserved, not taken: ONNX Runtime's products keep their
 * panels there, and its optimisers call themselves for each nested graph.
 */
const bytesOfStack = 2 ** 23;

/** Before anything is opened in this thread: room for functions that compute. */
export function makeRoomForComputing(): void {
  loadKoffi().config({ sync_stack_size: bytesOfStack });
}

const files: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/** The file that the binding for Node loads too, so that a process has it once. */
function pathOfLibrary(): string {
  const { platform, arch } = process;
  const file = files[platform];
  if (file === undefined) throw new Error(`ONNX Runtime has no library for ${platform}`);
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')),
    'bin',
  );
  const version = readdirSync(folder).find((name) => name.startsWith('napi-v'));
  if (version === undefined) throw new Error(`${folder} has no libraries`);
  return join(folder, version, platform, arch, file);
}

/** Functions of this version of the interface keep their places in the table in all later ones. */
const apiVersion = 17;
/** As many places as are used. */
const places = 160;

function apiOf(koffi: Koffi, path: string): Api {
  sendNothingHome();
  const base = koffi.load(path).func('OrtGetApiBase', 'void *', [])();
  keepLoaded(koffi, path);
  const [getApi] = koffi.decode(base, koffi.array('void *', 1));
  const api: Pointer | null = koffi.call(getApi, koffi.proto('void *', ['uint32']), apiVersion);
  if (api === null) throw new Error(`${path} does not offer version ${apiVersion} of its interface`);
  const table: readonly Pointer[] = koffi.decode(api, koffi.array('void *', places));
  const returning = (result: string, place: number, parameters: readonly string[]) =>
    koffi.decode(table[place], koffi.proto(result, [...parameters]));
  const trying = (place: number, ...parameters: readonly string[]) => returning('void *', place, parameters);
  const releasing = (place: number) => returning('void', place, ['void *']);
  return {
    addressOf: koffi.address,
    viewOf: koffi.view,
    textAt: koffi.decode.string,

    getErrorMessage: returning('str', 2, ['void *']),
    releaseStatus: releasing(93),

    createThreadingOptions: trying(121, 'void *'),
    setGlobalIntraOpNumThreads: trying(147, 'void *', 'int'),
    setGlobalInterOpNumThreads: trying(148, 'void *', 'int'),
    releaseThreadingOptions: releasing(122),
    createEnvWithGlobalThreadPools: trying(119, 'int', 'str', 'void *', 'void *'),
    createCpuMemoryInfo: trying(69, 'int', 'int', 'void *'),
    getAllocatorWithDefaultOptions: trying(78, 'void *'),
    allocatorFree: trying(76, 'void *', 'void *'),

    createSessionOptions: trying(10, 'void *'),
    disableMemPattern: trying(17, 'void *'),
    setSessionLogSeverityLevel: trying(22, 'void *', 'int'),
    setSessionGraphOptimizationLevel: trying(23, 'void *', 'int'),
    setIntraOpNumThreads: trying(24, 'void *', 'int'),
    setInterOpNumThreads: trying(25, 'void *', 'int'),
    disablePerSessionThreads: trying(120, 'void *'),
    releaseSessionOptions: releasing(100),

    createSessionFromArray: trying(8, 'void *', 'void *', 'size_t', 'void *', 'void *'),
    sessionGetOutputCount: trying(31, 'void *', 'void *'),
    sessionGetOutputTypeInfo: trying(34, 'void *', 'size_t', 'void *'),
    sessionGetOutputName: trying(37, 'void *', 'size_t', 'void *', 'void *'),
    releaseSession: releasing(95),

    castTypeInfoToTensorInfo: trying(55, 'void *', 'void *'),
    getTensorElementType: trying(60, 'void *', 'void *'),
    getDimensionsCount: trying(61, 'void *', 'void *'),
    getDimensions: trying(62, 'void *', 'void *', 'size_t'),
    getTensorShapeElementCount: trying(64, 'void *', 'void *'),
    releaseTypeInfo: releasing(98),
    releaseTensorTypeAndShapeInfo: releasing(99),

    createTensorWithDataAsOrtValue: trying(
      49,
      'void *',
      'void *',
      'size_t',
      'void *',
      'size_t',
      'int',
      'void *',
    ),
    getTensorMutableData: trying(51, 'void *', 'void *'),
    getTensorTypeAndShape: trying(65, 'void *', 'void *'),
    releaseValue: releasing(96),

    createRunOptions: trying(39, 'void *'),
    runOptionsSetTerminate: trying(46, 'void *'),
    releaseRunOptions: releasing(97),
    run: trying(9, 'void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *'),
  };
}
