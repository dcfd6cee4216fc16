/** One photo of any format that is read: its bytes as pixels of a square picture. */
import { decode } from 'bmp-ts';
import sharp, { type Sharp } from 'sharp';
import { fitIntoSquare } from './fit.ts';
import { plainJpegDecoder, plainJpegSize } from './plain-jpeg.ts';

const maxPixels = 64 * 1024 * 1024;
/** A picture of at most so many times the side wanted, in the mean of width and height, is a thumbnail. */
const smallFactor = 4;
const white = { r: 255, g: 255, b: 255 };

interface Format {
  readonly name: string;
  readonly extensions: readonly string[];
  /** What its files begin with, as Latin-1. */
  readonly signature: RegExp;
}

/** Raster formats that are read. A drawing or a document is never handed to the decoder. */
const formats: readonly Format[] = [
  { name: 'jpeg', extensions: ['.jpg', '.jpeg', '.jpe', '.jfif'], signature: /^\xff\xd8\xff/ },
  { name: 'png', extensions: ['.png'], signature: /^\x89PNG/ },
  { name: 'webp', extensions: ['.webp'], signature: /^RIFF.{4}WEBP/s },
  { name: 'gif', extensions: ['.gif'], signature: /^GIF8/ },
  { name: 'tiff', extensions: ['.tif', '.tiff'], signature: /^(II\*\0|MM\0\*)/ },
  { name: 'bmp', extensions: ['.bmp'], signature: /^BM/ },
  { name: 'heif', extensions: ['.avif', '.heif', '.heic'], signature: /^.{4}ftyp/s },
];

/** Extensions of the formats that are read, in lower case with their dot. */
export const photoExtensions: readonly string[] = formats.flatMap(({ extensions }) => extensions);

// No two photos share an operation, so that remembering the last ones only costs time.
sharp.cache(false);
// As many photos are decoded at a time as there are cores: threads within one only get in each other's way.
sharp.concurrency(1);

/** A photo as pixels, and what it turned out to be. */
export interface DecodedPhoto {
  /** (side, side, 3) */
  readonly pixels: Uint8Array;
  /** Such as `jpeg`. */
  readonly format: string;
  /** What files of the format are called. */
  readonly extensions: readonly string[];
}

/**
 * Decodes a photo to sRGB, upright, on white, fitted into a square of this side with white bars so that proportions stay.
 * @throws Error of the decoder, and where it is no photo in a known format
 */
export async function decodePhoto(given: Uint8Array, side: number): Promise<DecodedPhoto> {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const beginning = bytes.toString('latin1', 0, 16);
  const format = formats.find(({ signature }) => signature.test(beginning));
  if (format === undefined) throw new Error('not a photo in a format that is known');
  const plain = format.name === 'jpeg' ? plainJpegSize(bytes) : null;
  if (plain !== null) requireArea(plain, side);
  if (plain !== null && plain.width * plain.height <= (smallFactor * side) ** 2) {
    const decodePlain = await plainJpegDecoder();
    const pixels = fitIntoSquare(decodePlain(bytes, plain), plain.width, plain.height, side);
    return { pixels, format: format.name, extensions: format.extensions };
  }
  const { data, info } = await decodeOther(bytes, side, format.name, plain !== null);
  if (info.channels !== 3 || data.length !== info.width * info.height * 3) {
    throw new Error(`decoded to ${info.width} x ${info.height} x ${info.channels}`);
  }
  // A line may have been shrunk to one; its own size says how long it was.
  const isLine = Math.min(info.width, info.height) === 1 && format.name !== 'bmp';
  requireArea(isLine ? await sharp(bytes).metadata() : info, side);
  const { name, extensions } = format;
  return { pixels: fitIntoSquare(data, info.width, info.height, side), format: name, extensions };
}

/** @throws Error for a picture of which less than a line would be left */
function requireArea({ width, height }: { readonly width: number; readonly height: number }, side: number) {
  const ratio = Math.max(width, height) / Math.min(width, height);
  if (ratio > side)
    throw new Error(`${width} × ${height} pixels are a line, of which ${side} pixels show nothing`);
}

/** @param isLarge whether it is known to be more than a thumbnail */
async function decodeOther(bytes: Buffer, side: number, format: string, isLarge: boolean) {
  if (format === 'bmp') return decodeBitmap(bytes, side);
  if (format === 'tiff') await requireBrightness(bytes);
  if (isLarge) return decodeShrunk(bytes, side);
  return decodeSmall(bytes, side).catch(() => decodeShrunk(bytes, side));
}

/** Numbers whose white is known. */
const depths: readonly string[] = ['uchar', 'ushort'];

/** @throws Error for a picture of measured values, of which nothing says what is white */
async function requireBrightness(bytes: Buffer): Promise<void> {
  const { depth } = await sharp(bytes).metadata();
  if (!depths.includes(depth))
    throw new Error(`its values are of the type ${depth}, of which nothing says what is white`);
}

/**
 * Decodes a thumbnail as it is. Any resizing by libvips takes longer than to decode it, so that is done here.
 * Rejects for a picture that is larger.
 */
function decodeSmall(bytes: Buffer, side: number) {
  const decoder = sharp(bytes, { failOn: 'error', limitInputPixels: (smallFactor * side) ** 2 });
  return upright(decoder.autoOrient());
}

/** Decodes a picture of any size to the size that is needed, without ever holding all of it. */
function decodeShrunk(bytes: Buffer, side: number) {
  const decoder = sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels });
  const size = { width: side, height: side, fit: 'inside', withoutEnlargement: true } as const;
  return upright(decoder.autoOrient().resize(size));
}

/** What libvips does not read. Its fourth channel is opaque or nothing, so that it is left out. */
function decodeBitmap(bytes: Buffer, side: number) {
  const [declaredWidth, declaredHeight] = [bytes.readInt32LE(18), Math.abs(bytes.readInt32LE(22))];
  if (declaredWidth * declaredHeight > maxPixels) throw new Error('Input image exceeds pixel limit');
  requireArea({ width: declaredWidth, height: declaredHeight }, side);
  const { data, width, height } = decode(bytes, { toRGBA: true });
  // Before the picture is put on white, which comes first whatever the order of calls.
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  const picture = sharp(data, { raw: { width, height, channels: 4 } });
  return upright(picture.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true }));
}

/** sRGB, 8 bits, on white. */
function upright(decoder: Sharp) {
  return decoder
    .flatten({ background: white })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
}
