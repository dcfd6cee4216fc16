/** Errors of the C interface, and what its functions make. */
import { faultOf } from '../model-error.ts';
import type { Api, Pointer, Status } from './library.ts';

/** @throws ModelError or Error with ONNX Runtime's message, for any status but success */
export function check(api: Api, status: Status): void {
  if (status === null) return;
  const message = api.getErrorMessage(status);
  api.releaseStatus(status);
  throw faultOf(new Error(message));
}

/** Functions that are called here have ended when they return, so that one place to write is enough. */
const scratch = new BigUint64Array(1);

/** What a function writes where its last parameter says: an address, or a number of 64 bits. */
export function made(api: Api, make: (out: BigUint64Array) => Status): Pointer {
  scratch[0] = 0n;
  check(api, make(scratch));
  return scratch[0];
}
