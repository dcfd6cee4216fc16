/** libjpeg-turbo as WebAssembly, which comes without types. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  interface Decoder {
    /** Memory for the bytes of a file. */
    getEncodedBuffer(length: number): Uint8Array;
    /** Throws a number where the file is none, or ends early. */
    decode(): void;
    getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
    /** (height, width, components), until the next call. */
    getDecodedBuffer(): Uint8Array;
  }
  interface Codec {
    readonly JPEGDecoder: new () => Decoder;
  }
  export default function load(): Promise<Codec>;
}
