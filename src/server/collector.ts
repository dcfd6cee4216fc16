/** How memory is collected in a process that answers. */
import { setFlagsFromString } from 'node:v8';
import { usableCores } from '../cores.ts';

/** Has V8 look through all of its memory rarely: it takes a tenth of a second from whoever waits for an answer. */
export function collectForAnswers(): void {
  // What lives long while many wait is short-lived again when few do: taken for what stays, it fills the memory that is looked through.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // When there is twice of what was left the last time, and not a tenth more.
  setFlagsFromString('--heap-growing-percent=100');
  // Threads that look meanwhile would take the only core from those that answer.
  if (usableCores() === 1) setFlagsFromString('--no-concurrent-marking');
}
