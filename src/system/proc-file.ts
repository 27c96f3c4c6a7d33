/** The files of `/proc`, read whole, with as few system calls as will do: open, read, close. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Enough for nearly every command line in one read. */
const FIRST_BUFFER_BYTES = 64 * 1024;
/** No more of a command line is read than this: as much as execve(2) takes by default. */
const MAX_COMMAND_LINE_BYTES = 2 * 1024 * 1024;

/** A file's content as one character per byte; or why there is none. */
export type FileReading = { readonly text: string } | { readonly code: string };

/** Reads one file after the other into a buffer that they share. */
export function openProcFiles(): (path: string) => FileReading {
  let buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);

  return readText;

  /** Never waits: a FIFO in a directory that is only made like `/proc` reads as empty. */
  function readText(path: string): FileReading {
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      return { code: errorCode(error) };
    }
    try {
      return { text: readAll(descriptor) };
    } catch (error) {
      return { code: errorCode(error) };
    } finally {
      closeSync(descriptor);
    }
  }

  function readAll(descriptor: number): string {
    let length = readSync(descriptor, buffer, 0, buffer.length, null);
    while (length === buffer.length && length < MAX_COMMAND_LINE_BYTES) {
      buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const more = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (more === 0) break;
      length += more;
    }
    return buffer.toString('latin1', 0, length);
  }
}
