import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    // What an installed package does takes an installation: `npm run package`.
    exclude: ['test/package/**'],
    // ONNX Runtime uses every core by itself, so more than two test files at once only wait for each other.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 120_000,
  },
});
