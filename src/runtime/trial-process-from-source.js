// Starts the process of trials from the source tree, where Node needs help with TypeScript.
import { register } from 'tsx/esm/api';

register();
await import('./trial-process.ts');
