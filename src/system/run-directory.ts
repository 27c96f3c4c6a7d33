/** The place for what a running watchdog has: its control socket, and what it remembers for the next one. */
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeCode, errorCode } from './errors.ts';

/** A path of a Unix socket may have so many bytes (unix(7), less the final NUL); some Nodes cut longer ones without a word. */
export const MAX_SOCKET_PATH = 107;

/** `/run/watchdog` for root, `$XDG_RUNTIME_DIR/watchdog` for others, and where there is none, one in the place for temporary files. */
export function runDirectory(environment: NodeJS.ProcessEnv): string {
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0) return '/run/watchdog';
  const own = environment.XDG_RUNTIME_DIR;
  return own?.startsWith('/') ? join(own, 'watchdog') : join('/tmp', `watchdog-${uid}`);
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
