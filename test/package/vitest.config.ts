import { defineConfig } from 'vitest/config';

/** The package as users get it: packed, installed into an empty folder, and used there. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
