// Starts the device probe from the source tree, where Node needs help with TypeScript.
import { register } from 'tsx/esm/api';

register();
await import('./probe.ts');
