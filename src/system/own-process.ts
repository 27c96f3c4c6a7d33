/** What we are, as a process. */
import { readFileSync } from 'node:fs';
import { isSea } from 'node:sea';
import { decodeUtf8 } from '../core/command-line.ts';
import { errorCode } from './errors.ts';
import { withoutLinks } from './paths.ts';

/** U+FFFD: what Node puts in the place of bytes that aren't UTF-8. */
const REPLACEMENT = '\ufffd';

/** The arguments of the command line, without the program. Bytes that aren't UTF-8 are kept apart, as in `core/command-line.ts`. */
export function ownArguments(argv: readonly string[]): readonly string[] {
  const given = argv.slice(2);
  if (!given.some((argument) => argument.includes(REPLACEMENT))) return given;
  try {
    const raw = readFileSync('/proc/self/cmdline', 'latin1').replace(/\0$/, '').split('\0');
    return given.length === 0 ? [] : raw.slice(-given.length).map(decodeUtf8);
  } catch (error) {
    errorCode(error);
    return given;
  }
}

/** Our executable, if nothing but a watchdog runs from it; `null` where it is Node itself. */
export function ownExecutable(): string | null {
  return isSea() ? withoutLinks(process.execPath) : null;
}

/** The file that the user calls: our executable, or the bundle that Node runs. */
export function ownPath(): string {
  return isSea() ? process.execPath : withoutLinks(process.argv[1] ?? process.execPath);
}

/** How to start ourselves again: the program, and its arguments from the first, which is how it shows itself. */
export function ownCommand(
  title: string,
  argument: string,
): { readonly program: string; readonly args: readonly string[] } {
  const script = isSea() ? [] : [ownPath()];
  return { program: process.execPath, args: [title, ...script, argument] };
}
