/** koffi calls functions of native libraries. */
import { createRequire } from 'node:module';

export type Koffi = typeof import('koffi');

/** When it is needed, since it has a native part that a platform may lack. */
export function loadKoffi(): Koffi {
  return createRequire(import.meta.url)('koffi');
}

/** koffi closes a library when nobody holds it, or when a thread ends, whatever still computes in it. */
export function keepLoaded(koffi: Koffi, path: string): void {
  const now = 2;
  const handle =
    process.platform === 'win32'
      ? koffi.load('kernel32.dll').func('LoadLibraryW', 'void *', ['str16'])(path)
      : koffi.load(null).func('dlopen', 'void *', ['str', 'int'])(path, now);
  if (handle === null) throw new Error(`${path} cannot be kept open`);
}
