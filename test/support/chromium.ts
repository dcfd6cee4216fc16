/** A browser without a screen, as Debian's chromium brings it, for tests of pages. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const program = '/usr/bin/chromium';

/** Where nothing may be skipped, its absence is a failure. */
export const hasChromium = existsSync(program) || process.env['COURIER_SKIP_NOTHING'] === '1';

/** Says in a suite's name why it is skipped. */
export const inChromium = `in Chromium (needs ${program})`;

export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: program });
}
