import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    // What an installed package does takes an installation: `npm run package`.
    exclude: ['test/package/**'],
    // A file for each core, and a core for each file: engines that share cores wait for each other.
    maxWorkers: availableParallelism(),
    env: { COURIER_THREADS: '1' },
    pool: 'forks',
    // Files share what they import, which takes long to load, and no state.
    isolate: false,
    hookTimeout: 120_000,
    testTimeout: 120_000,
  },
});
