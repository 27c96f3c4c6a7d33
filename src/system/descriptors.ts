/** What we inherited and would hand on: open descriptors, and the limit of how many there may be. */
import { closeSync, fstatSync, readdirSync, readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** O_CLOEXEC of Linux, as in the octal `flags` of `/proc/self/fdinfo`. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes every descriptor beyond the standard three that a child would inherit. All of
 * Node's own are closed at exec anyway; what is left was left open by whoever started
 * us, such as the lock of a `flock` or the socket of a session.
 */
export function closeInherited(): void {
  for (const descriptor of listDescriptors()) {
    if (descriptor <= 2 || closesAtExec(descriptor)) continue;
    try {
      closeSync(descriptor);
    } catch (error) {
      // It was the listing's own, and is closed already.
      errorCode(error);
    }
  }
}

/** Whether a descriptor is open, and a socket. */
export function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch (error) {
    errorCode(error);
    return false;
  }
}

function listDescriptors(): readonly number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch (error) {
    errorCode(error);
    return [];
  }
}

function closesAtExec(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1'))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch (error) {
    errorCode(error);
    return true;
  }
}

/**
 * The soft limit of open files that we were started with, for those that we start;
 * `null` if ours is to stay. Node raises its own before any of our code runs, so that
 * only our parent's limit is left to tell; it counts where the hard limits agree.
 */
export function originalOpenFilesLimit(): number | null {
  const own = readLimit('self');
  const parent = readLimit(String(process.ppid));
  if (own === null || parent === null || own.hard !== parent.hard) return null;
  return parent.soft < own.soft ? parent.soft : null;
}

function readLimit(pid: string): { readonly soft: number; readonly hard: number } | null {
  try {
    const match = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'));
    return match === null ? null : { soft: Number(match[1]), hard: Number(match[2]) };
  } catch (error) {
    errorCode(error);
    return null;
  }
}
