/** What is wrong with a backbone, in words. */
import { CourierError, type ErrorCode, messageOf } from '../errors.ts';

/** A fault of a file, found where its path is not known; `refusing` adds the path. */
export class BackboneFault extends Error {
  readonly remedy: string;
  readonly code: ErrorCode;

  constructor(problem: string, remedy: string, code: ErrorCode = 'FILE_CORRUPT') {
    super(problem);
    this.remedy = remedy;
    this.code = code;
  }
}

export const exportAgain = 'Export the model to ONNX again, or take another one.';

/** Settings that do not fit the file. */
export function wrongSetting(problem: string): BackboneFault {
  return new BackboneFault(problem, 'Correct the setting, or leave it out.', 'CONFIG_INVALID');
}

/** Does something with a file and names it in whatever error there is. @throws CourierError */
export async function refusing<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unusableBackbone(path, error);
  }
}

function unusableBackbone(path: string, error: unknown): unknown {
  if (!(error instanceof BackboneFault)) return error;
  const { code, remedy } = error;
  return new CourierError(code, `Backbone ${path} cannot be used: ${messageOf(error)}`, remedy, {
    cause: error,
  });
}
