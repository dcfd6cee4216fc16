/** The bytes of a safetensors file that says whatever a test wants. */
export function safeTensorsFile(header: unknown, values: Uint8Array): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, values]);
}
