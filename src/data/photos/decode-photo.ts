/** One photo of any format that is read: its bytes as pixels of a square picture. */
import { decode } from 'bmp-ts';
import type { Sharp } from 'sharp';
import { fitIntoSquare } from './fit.ts';
import { plainJpegDecoder, plainJpegSize, type Size } from './plain-jpeg.ts';
import { decodeScaledJpeg, divisorOf } from './scaled-jpeg.ts';
import { loadSharp } from './sharp.ts';

/** Which pixels a photo becomes: another version wherever some become others, so that nobody takes over what was made of the earlier ones. */
export const pixelsVersion = '2';

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
  const { name, extensions } = format;
  const plain = name === 'jpeg' ? plainJpegSize(bytes) : null;
  const pixels = plain === null ? null : await decodePlain(bytes, plain, side);
  return { pixels: pixels ?? (await decodeOther(bytes, side, name)), format: name, extensions };
}

/** @returns null where sharp has to decode it, or to refuse it */
async function decodePlain(bytes: Buffer, size: Size, side: number): Promise<Uint8Array | null> {
  requireArea(size, side);
  const { width, height } = size;
  if (width * height > maxPixels) return null;
  if (width * height <= (smallFactor * side) ** 2) {
    const decodeWhole = await plainJpegDecoder();
    return fitIntoSquare(decodeWhole(bytes, size), width, height, side);
  }
  const divisor = divisorOf(size, side);
  const picture = await decodeScaledJpeg(bytes, divisor);
  if (picture === null) return null;
  const whole = { width: width / divisor, height: height / divisor };
  return fitIntoSquare(picture.pixels, picture.width, picture.height, side, whole);
}

async function decodeOther(bytes: Buffer, side: number, format: string): Promise<Uint8Array> {
  const { data, info } = await decodeBySharp(bytes, side, format);
  if (info.channels !== 3 || data.length !== info.width * info.height * 3) {
    throw new Error(`decoded to ${info.width} x ${info.height} x ${info.channels}`);
  }
  // A line may have been shrunk to one; its own size says how long it was.
  const isLine = Math.min(info.width, info.height) === 1 && format !== 'bmp';
  requireArea(isLine ? await (await loadSharp())(bytes).metadata() : info, side);
  return fitIntoSquare(data, info.width, info.height, side);
}

/** @throws Error for a picture of which less than a line would be left */
function requireArea({ width, height }: { readonly width: number; readonly height: number }, side: number) {
  const ratio = Math.max(width, height) / Math.min(width, height);
  if (ratio > side)
    throw new Error(`${width} × ${height} pixels are a line, of which ${side} pixels show nothing`);
}

async function decodeBySharp(bytes: Buffer, side: number, format: string) {
  if (format === 'bmp') return decodeBitmap(bytes, side);
  if (format === 'tiff') await requireBrightness(bytes);
  return decodeSmall(bytes, side).catch(() => decodeShrunk(bytes, side));
}

/** Numbers whose white is known. */
const depths: readonly string[] = ['uchar', 'ushort'];

/** @throws Error for a picture of measured values, of which nothing says what is white */
async function requireBrightness(bytes: Buffer): Promise<void> {
  const sharp = await loadSharp();
  const { depth } = await sharp(bytes).metadata();
  if (!depths.includes(depth))
    throw new Error(`its values are of the type ${depth}, of which nothing says what is white`);
}

/**
 * Decodes a thumbnail as it is. Any resizing by libvips takes longer than to decode it, so that is done here.
 * Rejects for a picture that is larger.
 */
async function decodeSmall(bytes: Buffer, side: number) {
  const sharp = await loadSharp();
  const decoder = sharp(bytes, { failOn: 'error', limitInputPixels: (smallFactor * side) ** 2 });
  return upright(decoder.autoOrient());
}

/** Decodes a picture of any size to the size that is needed, without ever holding all of it. */
async function decodeShrunk(bytes: Buffer, side: number) {
  const sharp = await loadSharp();
  const decoder = sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels });
  const size = { width: side, height: side, fit: 'inside', withoutEnlargement: true } as const;
  return upright(decoder.autoOrient().resize(size));
}

/** What libvips does not read. Its fourth channel is opaque or nothing, so that it is left out. */
async function decodeBitmap(bytes: Buffer, side: number) {
  const sharp = await loadSharp();
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
