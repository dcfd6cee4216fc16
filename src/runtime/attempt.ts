/** Tries a device in a process of its own, which a broken driver may end, or never end. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { programFile } from '../program-file.ts';
import { parseJson } from '../storage/json.ts';

const findingSchema = z.discriminatedUnion('kind', [
  /** It computed; so many of the values are not what JavaScript computes. */
  z.object({ kind: z.literal('computed'), wrong: z.int().nonnegative() }),
  /** ONNX Runtime is built without it for this platform. */
  z.object({ kind: z.literal('not offered') }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);

/** What the probe prints when it comes to an end by itself. */
export type Finding = z.infer<typeof findingSchema>;

export interface Attempt {
  readonly end:
    | Finding
    | { readonly kind: 'crashed'; readonly how: string }
    | { readonly kind: 'timed out'; readonly seconds: number };
  /** What libraries and drivers wrote meanwhile. */
  readonly log: string;
}

export interface AttemptOptions {
  /** The environment in which the device is tried. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Seconds after which a device that has not answered counts as broken. */
  readonly secondsToAnswer?: number;
}

export function attemptOn(device: string, options: AttemptOptions): Promise<Attempt> {
  const { environment = process.env, secondsToAnswer = 20 } = options;
  const words = [fileURLToPath(programFile(import.meta.url, 'probe')), device];
  const settings = {
    // The Vulkan loader then writes which GPU is used; ONNX Runtime does not tell.
    env: { ...environment, VK_LOADER_DEBUG: 'driver' },
    timeout: 1000 * secondsToAnswer,
    killSignal: 'SIGKILL',
    maxBuffer: 2 ** 24,
  } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, words, settings, (error, stdout, log) => {
      const finding = findingSchema.safeParse(parseJson(stdout.trimEnd().split('\n').at(-1) ?? ''));
      if (error === null && finding.success) resolve({ end: finding.data, log });
      else if (error?.killed === true) resolve({ end: { kind: 'timed out', seconds: secondsToAnswer }, log });
      else resolve({ end: { kind: 'crashed', how: error?.signal ?? `exit code ${error?.code ?? 0}` }, log });
    });
  });
}
