/** Whose fault it is that a model cannot be computed: the model's, or the machine's. */
import { messageOf } from '../errors.ts';

/**
 * ONNX Runtime does not take a model, or the model does not give what it should. Whatever else an engine throws is no
 * fault of the model: its thread ended, memory ran out, the device is not there.
 */
export class ModelError extends Error {}

/** ONNX Runtime's binding tells its errors apart by their texts alone. */
const signsOfMachine =
  /(?<!pre-|un)alloc|out of memory|failed to load (shared )?library|device|\bcuda|cudnn|cublas|webgpu/i;

/** What ONNX Runtime rejected a model with: a ModelError, unless memory or the device gave out. */
export function faultOf(error: unknown): unknown {
  const message = messageOf(error);
  return signsOfMachine.test(message) ? error : new ModelError(message, { cause: error });
}
