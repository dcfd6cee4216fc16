/**
 * JPEG files of the kind that most are: three channels of eight bits, as they lie, in the colours of the web. libjpeg-turbo alone
 * decodes them in a quarter of the time that a pipeline of libvips needs, which is for all others.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Markers that a file begins with, and that stand without a length. */
const [start, scan] = [0xd8, 0xda];

/**
 * Reads the header of a file.
 * @returns its size; null for what is no JPEG, is turned or coloured by what it says of itself (EXIF, ICC profiles, Adobe's other
 * colours), or has other channels or bits
 */
export function plainJpegSize(bytes: Uint8Array): Size | null {
  if (bytes[0] !== 0xff || bytes[1] !== start) return null;
  let size: Size | null = null;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === scan) return size;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const body = bytes.subarray(at + 4, at + 2 + length);
    if (length < 2 || body.length < length - 2 || changesColours(marker, body)) return null;
    if (isFrame(marker)) {
      size = frameSize(marker, body);
      if (size === null) return null;
    }
    at += 2 + length;
  }
  return null;
}

/** EXIF may turn a picture, an ICC profile changes its colours, and so does Adobe's segment unless it says YCbCr. */
function changesColours(marker: number, body: Uint8Array): boolean {
  const begins = (text: string) => [...text].every((letter, place) => body[place] === letter.codePointAt(0));
  if (marker === 0xe1) return begins('Exif');
  if (marker === 0xe2) return begins('ICC_PROFILE');
  return marker === 0xee && begins('Adobe') && body[11] !== 1;
}

/** Whether a marker begins a frame: of tables for arithmetic coding and of Huffman's it is none. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** null for anything but baseline, extended and progressive frames of three channels Y, Cb and Cr, of eight bits. */
function frameSize(marker: number, body: Uint8Array): Size | null {
  const [precision, components] = [body[0], body[5]];
  const isRgb = body[6] === 0x52 && body[9] === 0x47 && body[12] === 0x42;
  if (marker > 0xc2 || precision !== 8 || components !== 3 || isRgb) return null;
  const size = { height: (body[1]! << 8) | body[2]!, width: (body[3]! << 8) | body[4]! };
  return size.width > 0 && size.height > 0 ? size : null;
}

async function load() {
  const { default: loadCodec } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
  const { JPEGDecoder } = await loadCodec();
  return new JPEGDecoder();
}

/** When it is needed: compiling it takes a twentieth of a second of each thread. */
let loading: ReturnType<typeof load> | null = null;

/**
 * What decodes files that `plainJpegSize` knows: to (height, width, 3), in memory that the next call overwrites, so that it has to be
 * used before anything is awaited. It throws an Error where a file is damaged.
 */
export async function plainJpegDecoder(): Promise<(bytes: Uint8Array, size: Size) => Uint8Array> {
  loading ??= load();
  const codec = await loading;
  return (bytes, { width, height }) => {
    codec.getEncodedBuffer(bytes.length).set(bytes);
    try {
      codec.decode();
    } catch {
      throw new Error('the JPEG file is damaged');
    }
    const { buffer, byteOffset, length } = codec.getDecodedBuffer();
    if (length !== width * height * 3) throw new Error(`decoded to ${length} values`);
    return new Uint8Array(buffer, byteOffset, length);
  };
}
