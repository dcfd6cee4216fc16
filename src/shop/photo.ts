/**
 * Product photos: a look, drawn as SVG under conditions that change from photo to photo.
 *
 * Place, size, tilt, backdrop, light and grain say nothing about the look, but move every pixel; so raw pixels
 * are a poor measure of it and an encoder has something to learn.
 */
import sharp from 'sharp';
import type { Random } from '../random.ts';
import type { Colour, Look, Pattern } from './looks.ts';
import { silhouettes } from './silhouettes.ts';

/** Hue in degrees, saturation and lightness in percent. */
type Hsl = readonly [hue: number, saturation: number, lightness: number];

const paints: Readonly<Record<Colour, Hsl>> = {
  red: [4, 74, 50],
  amber: [40, 88, 50],
  green: [142, 48, 38],
  blue: [212, 72, 48],
  violet: [268, 46, 48],
  pink: [330, 72, 66],
};

const backdrops: readonly Hsl[] = [
  [35, 30, 91],
  [210, 18, 90],
  [150, 14, 89],
  [20, 34, 90],
  [0, 0, 93],
  [265, 16, 91],
  [48, 36, 89],
  [195, 22, 87],
];

/** One repeat of each print on a tile of 14 by 14, and the tile's turn in degrees. */
const prints: Readonly<Record<Pattern, { readonly tile: string; readonly turn: number }>> = {
  plain: { tile: '', turn: 0 },
  hoops: { tile: '<rect y="3.5" width="14" height="7"/>', turn: 0 },
  stripes: { tile: '<rect y="3.5" width="14" height="7"/>', turn: 90 },
  diagonals: { tile: '<rect y="3.5" width="14" height="7"/>', turn: 45 },
  dots: { tile: '<circle cx="7" cy="7" r="4.3"/>', turn: 45 },
  checks: { tile: '<rect width="7" height="7"/><rect x="7" y="7" width="7" height="7"/>', turn: 0 },
};

/** Standard deviation of the grain, in steps of 255. */
const GRAIN = 2.5;
const JPEG_QUALITY = 92;

/** Renders the photo of an item as JPEG. The same look, random state and side give the same bytes. */
export async function renderPhoto(look: Look, random: Random, side: number): Promise<Buffer> {
  const svg = drawPhoto(look, random, side);
  const { data, info } = await sharp(Buffer.from(svg))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  addGrain(data, random);
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY, chromaSubsampling: '4:4:4' })
    .toBuffer();
}

/** The photo before grain and compression, as an SVG document of `side` by `side` pixels. */
export function drawPhoto(look: Look, random: Random, side: number): string {
  const { body, behind, over, shadow } = silhouettes[look.shape];
  const paint = css(jitter(paints[look.colour], random, [7, 6, 4]));
  const backdrop = jitter(random.pick(backdrops), random, [12, 8, 3]);
  const scale = between(random, 0.8, 1.06);
  const place = `translate(${between(random, -7, 7)} ${between(random, -4, 5)})
    translate(50 52) scale(${scale}) translate(-50 -52)`;
  const tilt = `rotate(${between(random, -8, 8)} 50 60)`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 100 100">
    <defs>${studio(backdrop, random)}${print(look.pattern, random)}</defs>
    <rect width="100" height="100" fill="url(#wall)"/>
    <g transform="${place}">
      <ellipse cx="50" cy="${shadow.y}" rx="${shadow.halfWidth * 1.35}" ry="6.5" fill="url(#shadow)"/>
      <g transform="${tilt}">
        ${behind(paint)}
        <path d="${body}" fill="${paint}"/>
        <path d="${body}" fill="url(#print)"/>
        <path d="${body}" fill="url(#form)"/>
        ${over(paint)}
      </g>
    </g>
    <rect width="100" height="100" fill="url(#light)"/>
  </svg>`;
}

/** The wall, the shadow on the floor, the roundness of the product and the light that falls on all of it. */
function studio(backdrop: Hsl, random: Random): string {
  const [hue, saturation, lightness] = backdrop;
  const turn = random.integer(360);
  const dusk = between(random, 0, 0.2);
  const glow = between(random, 0, 0.2);
  return `<linearGradient id="wall" x2="0" y2="1">
      <stop offset="0.55" stop-color="${css([hue, saturation, lightness + 2])}"/>
      <stop offset="0.8" stop-color="${css([hue, saturation, lightness - 6])}"/>
      <stop offset="1" stop-color="${css([hue, saturation, lightness - 1])}"/>
    </linearGradient>
    <radialGradient id="shadow">
      <stop offset="0" stop-color="#20242c" stop-opacity="0.5"/>
      <stop offset="0.6" stop-color="#20242c" stop-opacity="0.22"/>
      <stop offset="1" stop-color="#20242c" stop-opacity="0"/>
    </radialGradient>
    <linearGradient id="form">
      <stop offset="0" stop-color="#000" stop-opacity="0.16"/>
      <stop offset="0.3" stop-color="#fff" stop-opacity="0.16"/>
      <stop offset="0.6" stop-color="#000" stop-opacity="0"/>
      <stop offset="1" stop-color="#000" stop-opacity="0.26"/>
    </linearGradient>
    <linearGradient id="light" gradientTransform="rotate(${turn} 0.5 0.5)">
      <stop offset="0" stop-color="#fff6e0" stop-opacity="${glow}"/>
      <stop offset="0.5" stop-color="#fff" stop-opacity="0"/>
      <stop offset="1" stop-color="#0c1020" stop-opacity="${dusk}"/>
    </linearGradient>`;
}

function print(pattern: Pattern, random: Random): string {
  const { tile, turn } = prints[pattern];
  const shift = `translate(${between(random, 0, 14)} ${between(random, 0, 14)})`;
  const size = between(random, 0.95, 1.3);
  return `<pattern id="print" patternUnits="userSpaceOnUse" width="14" height="14"
      patternTransform="rotate(${turn}) scale(${size}) ${shift}">
      <g fill="#fdf8ee">${tile}</g>
    </pattern>`;
}

function between(random: Random, low: number, high: number): number {
  return Number((low + (high - low) * random.uniform()).toFixed(3));
}

function jitter(colour: Hsl, random: Random, spread: Hsl): Hsl {
  const [hue, saturation, lightness] = colour.map(
    (value, i) => value + between(random, -spread[i]!, spread[i]!),
  );
  return [hue!, saturation!, lightness!];
}

function css([hue, saturation, lightness]: Hsl): string {
  const limited = (percent: number) => Math.min(100, Math.max(0, percent)).toFixed(1);
  return `hsl(${((hue + 360) % 360).toFixed(1)}, ${limited(saturation)}%, ${limited(lightness)}%)`;
}

/** Adds one normal draw to the three channels of every pixel. */
function addGrain(pixels: Buffer, random: Random): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const grain = GRAIN * random.normal();
    for (let channel = i; channel < i + 3; channel++) {
      pixels[channel] = Math.min(255, Math.max(0, Math.round(pixels[channel]! + grain)));
    }
  }
}
