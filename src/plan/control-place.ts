/** Where operators reach the watchdog, and where is kept what outlives it. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Problem } from '../config/given.ts';
import type { WatchdogSettings } from '../config/watchdog-settings.ts';
import { MAX_SOCKET_PATH, prepareRunDirectory, runDirectory } from '../system/run-directory.ts';
import { toAbsolute, whyUnwritable } from './preflight.ts';

/** `path`: of the socket, `null` where there is none; `why` that is so, unless it was asked for. */
export interface ControlPlace {
  readonly path: string | null;
  readonly why: string | null;
  readonly saved: string | null;
}

/** The place that was asked for, or one of its own for each watch in the run directory. `key`: what tells one watch from another. */
export function findControlPlace(
  { control, controlPlace, name }: WatchdogSettings,
  key: string,
  environment: NodeJS.ProcessEnv,
): ControlPlace | { readonly problem: Problem } {
  const directory = runDirectory(environment);
  const base = baseOf(directory, name, key);
  if (control !== null && control !== 'off') {
    const path = toAbsolute(controlPlace, control);
    if ('problem' in path) return path;
    const length = Buffer.byteLength(path.path);
    if (length > MAX_SOCKET_PATH) {
      const what = `${path.path} has ${length} bytes; the path of a socket has at most ${MAX_SOCKET_PATH}`;
      return { problem: { where: controlPlace, what } };
    }
    const unwritable = whyUnwritable(controlPlace, path.path);
    if (unwritable !== null) return { problem: unwritable };
    // Another watch may have been given the same socket by mistake: what it remembers is its own.
    return { path: path.path, why: null, saved: `${path.path}-${hashOf(key)}.json` };
  }
  const { why } = prepareRunDirectory(directory);
  if (why !== null) return { path: null, why: control === 'off' ? null : why, saved: null };
  return { path: control === 'off' ? null : `${base}.sock`, why: null, saved: `${base}.json` };
}

/** The path of the socket alone; `null` where there is to be none. */
export function socketPath(
  { control, name }: WatchdogSettings,
  key: string,
  environment: NodeJS.ProcessEnv,
  uid: number,
): string | null {
  if (control === 'off') return null;
  return control === null ? `${baseOf(runDirectory(environment, uid), name, key)}.sock` : resolve(control);
}

/** The name, where that can be a file's, or one made of what tells this watch from others. */
function baseOf(directory: string, name: string | null, key: string): string {
  return join(directory, name !== null && /^[A-Za-z0-9_.-]{1,40}$/.test(name) ? name : hashOf(key));
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 12);
}
