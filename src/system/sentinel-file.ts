/**
 * Where the sentinel can be executed from: beside us, where somebody has put it; or a
 * place to write it to, since it travels inside of our executable.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, lstatSync, mkdirSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { describeCode, errorCode } from './errors.ts';
import { ownPath } from './own-process.ts';
import { isAllowed } from './paths.ts';

/** Written into the bundle when it is built: the sentinel in base64; empty where there was no C compiler. */
declare const WATCHDOG_SENTINEL: string | undefined;

/** A sentinel that has been tried and works here; or every reason why there is none. */
export type SentinelSearch =
  | { readonly kind: 'found'; readonly path: string; readonly where: string; readonly reasons: readonly string[] }
  | { readonly kind: 'none'; readonly reasons: readonly string[] };

const NAME = 'watchdog-sentinel';

/** Looks for a sentinel, and tries it. One that was written is no longer in any directory when this returns. */
export function findSentinel(environment: NodeJS.ProcessEnv): SentinelSearch {
  if (process.platform !== 'linux')
    return { kind: 'none', reasons: [`it is for Linux, and this is ${process.platform}`] };
  if (process.execve === undefined) {
    return { kind: 'none', reasons: [`Node ${process.version} has no process.execve; 22.15 or newer is needed`] };
  }
  const unreachable = [process.execPath, ownPath()].find((path) => !isAllowed(path, constants.R_OK));
  if (unreachable !== undefined) {
    // Whoever started us was allowed to, before we became this user.
    return { kind: 'none', reasons: [`this user cannot start ${unreachable} again, which every wake does`] };
  }
  const beside = join(dirname(ownPath()), NAME);
  const reasons: string[] = [];
  if (isAllowed(beside, constants.X_OK)) {
    const why = tryOut(beside);
    if (why === null) return { kind: 'found', path: beside, where: beside, reasons };
    reasons.push(`${beside}: ${why}`);
  }
  const program = embedded();
  if (program === null) {
    return { kind: 'none', reasons: [...reasons, 'this watchdog was built without a C compiler, and so without it'] };
  }
  for (const directory of places(environment)) {
    const written = write(directory, program);
    if ('why' in written) reasons.push(`${directory}: ${written.why}`);
    else return { kind: 'found', path: written.path, where: directory, reasons };
  }
  return { kind: 'none', reasons };
}

function embedded(): Buffer | null {
  if (typeof WATCHDOG_SENTINEL === 'undefined' || WATCHDOG_SENTINEL === '') return null;
  return Buffer.from(WATCHDOG_SENTINEL, 'base64');
}

/** The run directory, the cache, memory, and where temporary files go. */
function places(environment: NodeJS.ProcessEnv): readonly string[] {
  const home = environment.HOME || homedir();
  const run = process.geteuid?.() === 0 ? '/run' : environment.XDG_RUNTIME_DIR;
  const cache = environment.XDG_CACHE_HOME || join(home, '.cache');
  const own = [run, cache].filter((path) => path?.startsWith('/')).map((path) => join(path as string, 'watchdog'));
  return [...new Set([...own, '/dev/shm', environment.TMPDIR || tmpdir()])];
}

/**
 * Writes it under a name of its own, tries it, and takes the name away again: the open
 * descriptor is enough to execute it by, and nothing is left behind however we end.
 */
function write(directory: string, program: Buffer): { readonly path: string } | { readonly why: string } {
  const path = join(directory, `.${NAME}-${randomBytes(8).toString('hex')}`);
  try {
    const why = prepare(directory);
    if (why !== null) return { why };
    writeFileSync(path, program, { flag: 'wx', mode: 0o700 });
    const fault = tryOut(path);
    if (fault !== null) return { why: fault };
    return { path: `/proc/self/fd/${openSync(path, constants.O_RDONLY)}` };
  } catch (error) {
    return { why: describeCode(errorCode(error)) };
  } finally {
    remove(path);
  }
}

/** What could not be written need not be there. */
function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    errorCode(error);
  }
}

/** A directory of ours is made where it is missing; it must be ours alone, unless it is one for everybody (sticky). */
function prepare(directory: string): string | null {
  if (directory.endsWith('/watchdog')) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { mode, uid } = lstatSync(directory);
  const isSticky = (mode & 0o1000) !== 0;
  if (isSticky) return null;
  if (uid !== process.geteuid?.()) return 'belongs to another user';
  return (mode & 0o022) === 0 ? null : 'can be written by others';
}

/** Whether it runs, and finds here what it needs; `null` if so. */
function tryOut(path: string): string | null {
  const { error, status, signal } = spawnSync(path, ['probe'], { stdio: 'ignore', timeout: 5_000 });
  if (error !== undefined) return explain(errorCode(error));
  if (status === 0) return null;
  if (status === null) return `it was ended by ${signal}`;
  const code = getSystemErrorName(-status);
  if (code === 'ENOENT') return 'there is no /proc that shows it';
  return code === 'ENOSYS'
    ? 'the kernel has no pidfd_open; Linux 5.3 or newer is needed'
    : `pidfd_open: ${describeCode(code)}`;
}

function explain(code: string): string {
  return code === 'EACCES' ? 'nothing may be executed there (noexec, or a rule of this machine)' : describeCode(code);
}
