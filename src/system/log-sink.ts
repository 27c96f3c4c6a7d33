import type { Output } from './child.ts';

/** Where the lines of a log go. */
export interface LogSink {
  /** What it is called in messages. */
  readonly name: string;
  /** Writes one whole line. `null` when it was written, else the code of the error: then none of it counts as written. */
  write(line: Buffer): string | null;
  /** Begins anew, as after the file was rotated. */
  reopen(): void;
  /** Where a recovery's output is to be appended to; `null` where there is nothing that works. */
  output(): Output | null;
  close(): void;
}
