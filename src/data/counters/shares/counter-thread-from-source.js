// Starts a thread that counts from the source tree, where Node needs help with TypeScript.
import { createRequire } from 'node:module';
import { register } from 'tsx/cjs/api';

register();
createRequire(import.meta.url)('./counter-thread.ts');
