/** What long work tells while it runs, and how it is stopped. Library code calls it; only the command line prints it. */
import { setImmediate } from 'node:timers/promises';

export type ProgressEvent =
  | { readonly kind: 'start'; readonly stage: string; readonly total: number; readonly unit: string }
  | { readonly kind: 'advance'; readonly stage: string; readonly done: number; readonly detail?: string }
  | { readonly kind: 'end'; readonly stage: string; readonly detail?: string }
  | { readonly kind: 'note'; readonly text: string };

export type Progress = (event: ProgressEvent) => void;

export const silent: Progress = () => {};

/** What every command of the library takes besides its settings. */
export interface WorkOptions {
  /** Hears how far the work is; nobody does by default. */
  readonly progress?: Progress | undefined;
  /** Stops the work at the next safe place, from which the same call goes on. */
  readonly signal?: AbortSignal | undefined;
  /** How the work was started, such as a command line, for those who read what came out. */
  readonly command?: string | undefined;
}

/**
 * A place in long work of this thread where it may stop: signals and progress bars have their turn.
 * @throws the signal's reason once it is aborted
 */
export async function safePlace(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
