/** Where the log goes, and whether it can. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Problem } from '../config/given.ts';
import { describeCode, errorCode } from '../system/errors.ts';
import { NOT_A_FILE, openLogFile } from '../system/log-file.ts';
import { toAbsolute } from './preflight.ts';

/** The path of the log, `null` for standard output; or why it can't be there. */
type LogPlace = { readonly path: string | null } | { readonly problem: Problem; readonly mayNot: boolean };

/** Errors that pass by themselves, or that somebody can mend while we watch: no reason not to begin. */
const PASSING: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EPERM',
  'EFBIG',
]);

/** Where the log goes that was asked for (`where` says by what), or the default one; tried by opening it. */
export function findLogPlace(wanted: string | null, where: string, environment: NodeJS.ProcessEnv): LogPlace {
  if (wanted === '-' || (wanted === null && process.pid === 1)) return { path: null };
  const place = wanted === null ? { path: defaultPath(environment) } : toAbsolute(where, wanted);
  if ('problem' in place) return { problem: place.problem, mayNot: false };
  const { path } = place;
  if (wanted === null) makeDirectory(dirname(path));
  const { sink, code } = openLogFile(path);
  sink.close();
  if (code === null || PASSING.has(code)) return { path };
  return { problem: { where, what: explain(path, code) }, mayNot: code === 'EACCES' };
}

function defaultPath(environment: NodeJS.ProcessEnv): string {
  if (process.geteuid?.() === 0) return '/var/log/watchdog.log';
  const state = environment.XDG_STATE_HOME;
  // The specification has relative paths ignored.
  const base = state?.startsWith('/') ? state : join(environment.HOME || homedir(), '.local', 'state');
  return join(base, 'watchdog', 'watchdog.log');
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    // Opening the log will say what is wrong.
    errorCode(error);
  }
}

function explain(path: string, code: string): string {
  switch (code) {
    case 'EISDIR':
      return `${path} is a directory; name a file in it`;
    case 'ENOENT':
      return `the directory ${dirname(path)} does not exist; make it, or name another`;
    case 'ELOOP':
      return `${path} is a symbolic link, which is not followed; name the file itself, or - for standard output`;
    case NOT_A_FILE:
    case 'ENXIO':
      return `${path} is no regular file; name one, or - for standard output`;
    case 'EACCES':
      return `the log ${path} may not be written by this user; name a file that may be by --log, or - for standard output`;
    default:
      return `${path} cannot be opened: ${describeCode(code)}; name another file, or - for standard output`;
  }
}
