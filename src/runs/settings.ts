/** Settings that several commands have in common. */
import { z } from 'zod';
import { deviceChoices } from '../runtime/device.ts';

export const runSettings = {
  dataset: z.string().min(1).describe('Dataset folder that ingest wrote.'),
  out: z.string().min(1).describe('Run folder to write. The same settings on the same folder go on.'),
  seed: z.int().nonnegative().default(1).describe('Seed of everything random.'),
  device: z.enum(deviceChoices).default('cpu').describe('What it is computed on; `courier doctor` lists it.'),
} as const;

/** Such as `ids none, epochs 8`, without those that have no value; those that are laid over nothing are `as set`. */
export function settingsText(settings: object): string {
  const parts = Object.entries(settings).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${value}`],
  );
  return parts.length === 0 ? 'as set' : parts.join(', ');
}
