/** Where the reference numbers lie that our own numerics are checked against. */
import { fileURLToPath } from 'node:url';

/** The folder named by `REFERENCE_DIR`, or the copy among the fixtures. */
export function referenceDir(): string {
  const { REFERENCE_DIR } = process.env;
  return REFERENCE_DIR ?? fileURLToPath(new URL('../fixtures/reference', import.meta.url));
}
