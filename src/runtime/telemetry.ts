/** ONNX Runtime is asked to send nothing home. */
import { isMainThread } from 'node:worker_threads';
import { loadKoffi } from '../koffi.ts';

/** Read once, when the library begins; set to anything but 1 or true, it sends. */
const name = 'ORT_DISABLE_TELEMETRY';

/**
 * Before ONNX Runtime's library is opened. Since 1.29 it sends Microsoft what is computed: names and hashes of models, inputs of sessions,
 * errors, times, with an id of the machine that it keeps in the user's cache folder beside what waits to be sent, and it leaves a log in the
 * temporary folder for each process. Whoever has set the variable has decided.
 */
export function sendNothingHome(): void {
  if (process.env[name] !== undefined) return;
  process.env[name] = '1';
  // In another thread that is a copy, of which native code knows nothing.
  if (isMainThread || process.platform === 'win32') return;
  loadKoffi().load(null).func('setenv', 'int', ['str', 'str', 'int'])(name, '1', 0);
}
