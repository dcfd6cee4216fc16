/** A pause of the thread, its event loop included: shorter than a timer's can be, and where no event loop turns any more. */
const clock = new Int32Array(new SharedArrayBuffer(4));

export function sleep(milliseconds: number): void {
  Atomics.wait(clock, 0, 0, milliseconds);
}
