/** What long work tells while it runs. Library code calls it; only the command line prints it. */

export type ProgressEvent =
  | { readonly kind: 'start'; readonly stage: string; readonly total: number; readonly unit: string }
  | { readonly kind: 'advance'; readonly stage: string; readonly done: number; readonly detail?: string }
  | { readonly kind: 'end'; readonly stage: string; readonly detail?: string }
  | { readonly kind: 'note'; readonly text: string };

export type Progress = (event: ProgressEvent) => void;

export const silent: Progress = () => {};
