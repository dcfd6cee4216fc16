/** Models of others run in a process of its own, which they may end, or never let end. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { programFile } from '../program-file.ts';
import type { Model } from './model.ts';
import { ModelError } from './model-error.ts';
import type { EncodedModel } from './node-binding/messages.ts';
import type { NamedValues } from './protocol.ts';

/** A model, and what to run it on, time after time. */
export interface TrialRequest {
  readonly model: EncodedModel;
  readonly feeds: readonly NamedValues[];
}

export type TrialReply =
  | { readonly ok: true; readonly results: readonly NamedValues[] }
  | { readonly ok: false; readonly message: string };

/** One request at a time. */
export class Trial {
  readonly #secondsToAnswer: number;
  #child: ChildProcess | null = null;

  /** @param secondsToAnswer after which a model that has not been loaded and run counts as one that never ends */
  constructor(secondsToAnswer = 120) {
    this.#secondsToAnswer = secondsToAnswer;
  }

  /**
   * Loads a model on the CPU and runs it on each of the feeds.
   * @throws ModelError when it cannot be loaded or computed, wants more memory than there is, ends the process, or takes
   * too long
   */
  run(model: Model, feeds: readonly NamedValues[]): Promise<readonly NamedValues[]> {
    const { inputs, outputs } = model;
    const request: TrialRequest = { model: { bytes: model.encode('fused'), inputs, outputs }, feeds };
    const child = this.#started();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.close();
        reject(new ModelError(`it was not done after ${this.#secondsToAnswer} s`));
      }, 1000 * this.#secondsToAnswer);
      const settle = (end: () => void) => {
        clearTimeout(timer);
        child.removeAllListeners();
        end();
      };
      child.once('message', (reply: TrialReply) =>
        settle(() => {
          if (reply.ok) resolve(reply.results);
          else reject(new ModelError(reply.message));
        }),
      );
      child.once('error', (error) => settle(() => reject(error)));
      child.once('exit', (code, signal) =>
        settle(() => {
          this.#child = null;
          reject(new ModelError(`ONNX Runtime crashed on it (${signal ?? `exit code ${code}`})`));
        }),
      );
      child.send(request, (error) => {
        if (error !== null) settle(() => reject(error));
      });
    });
  }

  /** Ends the process, whatever it does. */
  close(): void {
    this.#child?.removeAllListeners();
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #started(): ChildProcess {
    if (this.#child?.connected === false) this.close();
    this.#child ??= fork(fileURLToPath(programFile(import.meta.url, 'trial-process')), {
      serialization: 'advanced',
      // ONNX Runtime writes there what its errors say as well.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    return this.#child;
  }
}
