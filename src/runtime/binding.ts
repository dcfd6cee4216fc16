/** How ONNX Runtime is called: in place where that is possible. */
import { CourierError } from '../errors.ts';
import { openLibrary } from './c-api/library.ts';
import type { Device } from './device.ts';

/** `c-api`: the C interface of its library, in place; `node`: its binding for Node, which copies. */
export const bindings = ['c-api', 'node'] as const;
export type Binding = (typeof bindings)[number];

export interface BindingChoice {
  readonly binding: Binding;
  /** Why it is this one, in words. */
  readonly reason: string;
}

/**
 * The binding for engines on a device: the C interface on the CPU, where it can be had; what the environment variable
 * COURIER_BINDING names, if it names one.
 * @throws CourierError CONFIG_INVALID when it names none that there is, or `c-api` where that cannot be had
 */
export function chooseBinding(device: Device): BindingChoice {
  const wanted = wantedBinding();
  if (device !== 'cpu')
    return { binding: 'node', reason: `${device} is reached through the binding for Node` };
  if (wanted === 'node')
    return { binding: 'node', reason: 'the environment variable COURIER_BINDING says so' };
  const library = openLibrary();
  if ('api' in library) return { binding: 'c-api', reason: 'ONNX Runtime reads and writes in place' };
  if (wanted === null) return { binding: 'node', reason: `the C interface cannot be had: ${library.reason}` };
  throw new CourierError(
    'CONFIG_INVALID',
    `COURIER_BINDING is c-api, and that cannot be had: ${library.reason}.`,
    'Unset it; ONNX Runtime is then called through its binding for Node.',
  );
}

function wantedBinding(): Binding | null {
  const { COURIER_BINDING: wanted } = process.env;
  if (wanted === undefined || wanted === '') return null;
  const found = bindings.find((binding) => binding === wanted);
  if (found !== undefined) return found;
  throw new CourierError(
    'CONFIG_INVALID',
    `Invalid COURIER_BINDING: ${wanted}.`,
    `Set it to ${bindings.join(' or ')}, or unset it for the best that there is.`,
  );
}
