import { writeSync } from 'node:fs';
import { errorCode } from '../system/errors.ts';

/** Writes text to standard output, whole, before anything else happens. A reader that went away is its own business. */
export function print(text: string): void {
  writeAll(1, text);
}

/** Writes text to standard error. */
export function printError(text: string): void {
  writeAll(2, text);
}

/** Writes what others have written, as it is. */
export function printBytes(bytes: Buffer): void {
  writeBytes(1, bytes);
}

function writeAll(descriptor: number, text: string): void {
  writeBytes(descriptor, Buffer.from(text, 'utf8'));
}

function writeBytes(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // A pipe that never waits is full: try again. Anything else: nobody is there to read.
      if (errorCode(error) !== 'EAGAIN') return;
    }
  }
}
