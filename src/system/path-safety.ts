/**
 * Who can change a file: its owner, whoever its mode lets write, and all who can put another
 * one in its place, which is decided by every directory above it.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCode } from './errors.ts';

/** No chain of links is followed further. */
const MAX_LINKS = 40;
const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;
const STICKY = 0o1000;

/** The part of a path that others can change, and how. */
export interface Unsafe {
  readonly path: string;
  /** In octal, as `chmod` has it. */
  readonly mode: string;
  readonly why: string;
}

/**
 * The first part of the path, from the root on, that somebody else than root and `trusted`
 * could change; `null` if there is none. Links are followed, both ways being looked at. What
 * is not there can be made only by who may write to the directory.
 */
export function findUnsafe(path: string, trusted: readonly number[]): Unsafe | null {
  return walk(resolve(path), trusted, 0);
}

function walk(path: string, trusted: readonly number[], links: number): Unsafe | null {
  const above = dirname(path);
  if (above !== path) {
    const unsafe = walk(above, trusted, links);
    if (unsafe !== null) return unsafe;
  }
  const stats = lookAt(path);
  if (stats === null || links > MAX_LINKS) return null;
  if (stats.isSymbolicLink()) {
    // A link has no mode of its own; who can change it is who can change its directory, or owns it where that is sticky.
    const why = whyForeign(stats, trusted);
    if (why !== null) return toUnsafe(path, stats, why);
    return walk(resolve(above, readLink(path)), trusted, links + 1);
  }
  const why = whyForeign(stats, trusted) ?? whyWritable(stats);
  return why === null ? null : toUnsafe(path, stats, why);
}

function whyForeign({ uid }: Stats, trusted: readonly number[]): string | null {
  return uid === 0 || trusted.includes(uid) ? null : `belongs to user ${uid}`;
}

/** In a sticky directory only its owner can take a file away; what is in it is looked at by itself. */
function whyWritable(stats: Stats): string | null {
  if (stats.isDirectory() && (stats.mode & STICKY) !== 0) return null;
  if ((stats.mode & OTHER_WRITE) !== 0) return 'can be written by everybody';
  // The group of root is root's.
  if ((stats.mode & GROUP_WRITE) !== 0 && stats.gid !== 0) return `can be written by group ${stats.gid}`;
  return null;
}

function toUnsafe(path: string, { mode }: Stats, why: string): Unsafe {
  return { path, mode: (mode & 0o7777).toString(8).padStart(4, '0'), why };
}

function lookAt(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    errorCode(error);
    return null;
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    errorCode(error);
    return join(path, '.');
  }
}
