/** Every error that a user can cause. */

export const errorCodes = [
  'CONFIG_INVALID',
  'FILE_NOT_FOUND',
  'FILE_UNREADABLE',
  'FILE_CORRUPT',
  'OUTPUT_NOT_WRITABLE',
  'OUTPUT_EXISTS',
  'OUTPUT_IN_USE',
  'COLUMN_MISSING',
  'VALUE_INVALID',
  'TOO_MANY_BAD_ROWS',
  'LOG_EMPTY',
  'LOG_WITHOUT_CLICKS',
  'DATASET_INVALID',
  'SPLIT_EMPTY',
  'CHECKPOINT_INVALID',
  'TRAINING_DIVERGED',
  'TRAINING_COLLAPSED',
  'METRIC_UNDEFINED',
  'COMPARISON_FAILED',
  'LEAK',
  'LIMIT_EXCEEDED',
  'DEVICE_UNAVAILABLE',
  'INTERRUPTED',
  'ITEM_UNKNOWN',
  'MPI_UNAVAILABLE',
  'MPI_FAILED',
  'PROCESSES_DIFFER',
  'PROCESS_MISSING',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'STATE_UNAVAILABLE',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * A condition that the user can mend. The message says what was wrong with which input; the remedy says
 * what to do about it. Anything else that is thrown is a bug.
 */
export class CourierError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;

  constructor(code: ErrorCode, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CourierError';
    this.code = code;
    this.remedy = remedy;
  }
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** True for a Node system error of one of the given codes, such as `ENOENT`. */
export function hasSystemCode(thrown: unknown, ...codes: string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}
