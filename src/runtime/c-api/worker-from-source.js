// Starts the compute thread from the source tree, where Node needs help with TypeScript. As CommonJS, which loads in a
// quarter of the time: modules would get a loader in a thread of its own.
import { createRequire } from 'node:module';
import { register } from 'tsx/cjs/api';

register();
createRequire(import.meta.url)('./worker.ts');
