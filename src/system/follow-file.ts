/** The end of a file that others append to, and that is put aside from time to time. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from './errors.ts';

const CHUNK_BYTES = 64 * 1_024;
/** Somebody looks at it: a fifth of a second is at once. */
const LOOK_MS = 200;
const NEWLINE = 0x0a;

/** The last lines, as bytes; or the code of the error. */
export function readTail(
  path: string,
  lines: number,
): { readonly bytes: Buffer; readonly size: number } | { readonly code: string } {
  const file = open(path);
  if ('code' in file) return file;
  try {
    const { size } = fstatSync(file.descriptor);
    const chunks: Buffer[] = [];
    let found = 0;
    // The newline at the very end is no line's beginning.
    for (let at = size; at > 0 && found <= lines; ) {
      const length = Math.min(CHUNK_BYTES, at);
      at -= length;
      const chunk = readAt(file.descriptor, at, length);
      chunks.unshift(chunk);
      found += chunk.filter((byte) => byte === NEWLINE).length;
    }
    return { bytes: lastLines(Buffer.concat(chunks), lines), size };
  } finally {
    closeSync(file.descriptor);
  }
}

function lastLines(bytes: Buffer, lines: number): Buffer {
  let at = bytes.length;
  for (let line = 0; line <= lines && at > 0; line += 1) at = bytes.lastIndexOf(NEWLINE, at - 1);
  return at < 0 ? bytes : bytes.subarray(at === 0 && bytes[0] !== NEWLINE ? 0 : at + 1);
}

/** Hands on what is appended from `from` on, for ever; of a file that is put aside all of it before the next one. */
export async function followFile(path: string, from: number, onBytes: (bytes: Buffer) => void): Promise<never> {
  let file = open(path);
  let at = from;
  for (;;) {
    if ('descriptor' in file) {
      for (
        let bytes = readAt(file.descriptor, at, CHUNK_BYTES);
        bytes.length > 0;
        bytes = readAt(file.descriptor, at, CHUNK_BYTES)
      ) {
        at += bytes.length;
        onBytes(bytes);
      }
      if (fstatSync(file.descriptor).size < at) at = 0;
    }
    if ('code' in file || isAnother(path, file.descriptor)) {
      const next = open(path);
      if ('descriptor' in next) {
        if ('descriptor' in file) closeSync(file.descriptor);
        file = next;
        at = 0;
        continue;
      }
    }
    await sleep(LOOK_MS);
  }
}

/** Whether the name has gone over to another file. */
function isAnother(path: string, descriptor: number): boolean {
  try {
    return statSync(path).ino !== fstatSync(descriptor).ino;
  } catch (error) {
    errorCode(error);
    return false;
  }
}

function open(path: string): { readonly descriptor: number } | { readonly code: string } {
  try {
    return { descriptor: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) };
  } catch (error) {
    return { code: errorCode(error) };
  }
}

function readAt(descriptor: number, at: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, readSync(descriptor, buffer, 0, length, at));
}
