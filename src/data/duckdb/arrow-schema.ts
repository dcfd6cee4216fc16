/** That the vectors of a file of embeddings have one length, for readers that know Arrow: Parquet itself knows lists alone. */

/** Where Arrow's libraries look in the metadata of a Parquet file for what its columns were. */
export const arrowSchemaKey = 'ARROW:schema';

/**
 * The schema of `item_id` (utf8), `embedding` (fixed_size_list of float32, each called `element`) and `image_hash` (utf8) as
 * a message of Arrow IPC, as pyarrow's `Schema.serialize` writes it. `npm run bench -- exports` reads it with pyarrow.
 */
const message =
  '/////xABAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAMAAAC0AAAANAAAAAQAAABo////AAABBRAAAAAcAA' +
  'AABAAAAAAAAAAKAAAAaW1hZ2VfaGFzaAAAXP///5T///8AAAEQFAAAACQAAAAEAAAAAQAAACAAAAAJAAAAZW1iZWRkaW5nAAYACAAEAAYAAAAE' +
  'AwIBzP///wAAAQMQAAAAIAAAAAQAAAAAAAAABwAAAGVsZW1lbnQAAAAGAAgABgAGAAAAAAABABAAFAAIAAYABwAMAAAAEAAQAAAAAAABBRAAAA' +
  'AcAAAABAAAAAAAAAAHAAAAaXRlbV9pZAAEAAQABAAAAA==';

/** Where the length of the lists stands in it, as an int32. */
const lengthAt = 164;

/** @param dimension length of every vector */
export function arrowSchemaOf(dimension: number): string {
  const bytes = Buffer.from(message, 'base64');
  bytes.writeInt32LE(dimension, lengthAt);
  return bytes.toString('base64');
}
