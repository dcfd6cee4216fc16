/** Photo files to measure with: pictures of the generated shop, of any size. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '../src/random.ts';
import { shapes, tastes } from '../src/shop/looks.ts';
import { renderPhoto } from '../src/shop/photo.ts';

/** Writes so many JPEG files into a new folder: 0.jpg, 1.jpg, … */
export async function drawPhotos(folder: string, photos: number, fileSide: number): Promise<void> {
  await mkdir(folder);
  const random = Random.seeded(1, 'bench photos');
  for (let photo = 0; photo < photos; photo++) {
    const look = { ...random.pick(tastes), shape: random.pick(shapes) };
    await writeFile(join(folder, `${photo}.jpg`), await renderPhoto(look, random, fileSide));
  }
}
