/** What all routes share. */
import type { FastifyBaseLogger } from 'fastify';
import type { DownloadOptions } from '../data/sources/photo-downloads.ts';
import type { BodyMemory, Places } from './admission.ts';
import type { Arms } from './arms.ts';
import type { ServeConfig } from './config.ts';
import type { Keyring, StoredKey } from './keys.ts';
import type { Metrics } from './metrics.ts';
import type { OutcomeFiles } from './outcomes.ts';

export interface Context {
  readonly config: ServeConfig;
  readonly log: FastifyBaseLogger;
  readonly arms: Arms;
  /** null where everybody on this machine may ask. */
  readonly keys: Keyring | null;
  readonly outcomes: OutcomeFiles | null;
  readonly metrics: Metrics;
  readonly bodies: BodyMemory;
  readonly photos: Places;
  readonly download: DownloadOptions;
  /** How a user is called in the log. */
  readonly userName: (user: string) => string;
  /** Whether requests should go elsewhere: `ready`, `draining` (they are answered still), `closed`. */
  phase: 'ready' | 'draining' | 'closed';
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The key that the request came with; null without one that is known. */
    caller: StoredKey | null;
    /** What its line in the log says besides. */
    told: Record<string, string | number> | null;
  }
}
