/** The place for what a running watchdog has: its control socket, and what it remembers for the next one. */
import { chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeCode, errorCode } from './errors.ts';
import { isAllowed } from './paths.ts';

/** A path of a Unix socket may have so many bytes (unix(7), less the final NUL); some Nodes cut longer ones without a word. */
export const MAX_SOCKET_PATH = 107;

/**
 * `/run/watchdog` for root, `$XDG_RUNTIME_DIR/watchdog` for others; where there is none, the
 * one that root has made for a watchdog that became this user, or one in the place for
 * temporary files. `uid`: another user than we are (yet).
 */
export function runDirectory(environment: NodeJS.ProcessEnv, uid = process.geteuid?.() ?? 0): string {
  if (uid === 0) return '/run/watchdog';
  const own = environment.XDG_RUNTIME_DIR;
  if (uid === process.geteuid?.() && own?.startsWith('/')) return join(own, 'watchdog');
  const made = directoryOf(uid);
  return uid !== process.geteuid?.() || isAllowed(made) ? made : join('/tmp', `watchdog-${uid}`);
}

/** What root makes for a watchdog that is about to become this user. */
function directoryOf(uid: number): string {
  return `/run/watchdog-${uid}`;
}

/** Makes it, as root; why that can't be, or `null`. */
export function makeRunDirectoryFor(uid: number, gid: number): string | null {
  const path = directoryOf(uid);
  try {
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, uid, gid);
    return null;
  } catch (error) {
    const code = errorCode(error);
    return code === 'EEXIST' ? null : `${path} cannot be made: ${describeCode(code)}`;
  }
}

/** Where root finds the watchdogs of users that it has started. */
export function listRunDirectories(): readonly string[] {
  try {
    return readdirSync('/run')
      .filter((name) => /^watchdog-\d+$/.test(name))
      .map((name) => join('/run', name));
  } catch (error) {
    errorCode(error);
    return [];
  }
}

/** Makes a directory that is ours alone, where it isn't there yet; or says why it can't be relied on. */
export function prepareRunDirectory(path: string): { readonly why: string | null } {
  try {
    mkdirSync(path, { mode: 0o700, recursive: path === '/run/watchdog' });
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EEXIST') return { why: `${path} cannot be made: ${describeCode(code)}` };
  }
  return { why: whyNotOurs(path) };
}

/** Somebody else may have made it first, where everybody may. */
function whyNotOurs(path: string): string | null {
  try {
    const stats = lstatSync(path);
    if (!stats.isDirectory()) return `${path} is no directory`;
    if (stats.uid !== process.geteuid?.()) return `${path} belongs to another user`;
    return (stats.mode & 0o077) === 0 ? null : `${path} is open to others (mode ${(stats.mode & 0o777).toString(8)})`;
  } catch (error) {
    return `${path} cannot be looked at: ${describeCode(errorCode(error))}`;
  }
}
