/** Where real image models lie that are not part of the project: `BACKBONES_DIR`, or ../shared/backbones. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file of that name; null where there is none. */
export function publishedBackbone(name: string): string | null {
  const { BACKBONES_DIR } = process.env;
  const folder = BACKBONES_DIR ?? fileURLToPath(new URL('../../../shared/backbones', import.meta.url));
  const path = join(folder, name);
  return existsSync(path) ? path : null;
}
