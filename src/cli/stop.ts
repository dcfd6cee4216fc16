/** Stopping as the user, a scheduler or a closed terminal asks for it. */
import { launchOf } from '../collectives/launcher.ts';
import type { OutputStream } from './output.ts';

const asked = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Asked = (typeof asked)[number];

export interface Asking {
  /** Aborted when this process is first asked to stop. */
  readonly signal: AbortSignal;
  /** Takes SIGHUP for something else than a terminal that is closed, as servers do. */
  readonly onHangUp: (listener: () => void) => void;
}

/** Listens to what asks this process to stop. Asked once more it ends at once, by the signal itself. */
export function stopWhenAsked(stderr: OutputStream): Asking {
  const stop = new AbortController();
  let hangUp: (() => void) | null = null;
  // Whoever stops several processes stops all of them.
  const speaks = (launchOf(process.env)?.rank ?? 0) === 0;
  for (const signal of asked) {
    process.on(signal, () => {
      if (signal === 'SIGHUP' && hangUp !== null) return hangUp();
      // A shell and the system may both tell that the terminal is closed: that is no impatience.
      if (signal === 'SIGHUP') dropOutput();
      else if (stop.signal.aborted) endBy(signal);
      if (stop.signal.aborted) return;
      stop.abort();
      if (speaks) stderr.write(`\n${announcement[signal]}\n`);
    });
  }
  return {
    signal: stop.signal,
    onHangUp(listener) {
      hangUp = listener;
    },
  };
}

/**
 * As if nobody listened. Node's own exit would wait for the threads of native libraries, and they for an answer of this thread: DuckDB's do while
 * a table of ours is written.
 */
function endBy(signal: Asked): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

const again = 'Stopping at the next safe place;';
const announcement: Readonly<Record<Asked, string>> = {
  SIGINT: `${again} press Ctrl-C again to stop at once.`,
  SIGTERM: `${again} a second SIGTERM stops at once.`,
  SIGHUP: `${again} the terminal is closed.`,
};

/** The terminal is gone: what would be written to it must not end the process before its safe place. */
function dropOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
