/** Photos to try a backbone on. */
import { Random } from '../random.ts';

/** Two photos that have nothing in common: one that gets brighter, and coloured patches. uint8 (2, S, S, 3) */
export function probePhotos(side: number): Uint8Array {
  const random = Random.seeded(1, 'probe photos');
  const patches = Array.from({ length: 8 * 8 * 3 }, () => random.integer(256));
  const photos = new Uint8Array(2 * side * side * 3);
  for (let place = 0; place < side * side; place++) {
    const [row, column] = [Math.floor(place / side), place % side];
    const patch = Math.floor((row * 8) / side) * 8 + Math.floor((column * 8) / side);
    for (let colour = 0; colour < 3; colour++) {
      photos[place * 3 + colour] = Math.round((40 * (row + (colour + 1) * column)) / side);
      photos[(side * side + place) * 3 + colour] = patches[patch * 3 + colour]!;
    }
  }
  return photos;
}
