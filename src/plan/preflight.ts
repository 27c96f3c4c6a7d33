/** What only this machine can tell to be wrong with a path that the user gave. */
import { accessSync, constants, lstatSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Problem } from '../config/given.ts';
import { describeCode, errorCode } from '../system/errors.ts';

/** Whether a directory can be worked in. */
export function whyUnusableDirectory(option: string, path: string | null): readonly Problem[] {
  if (path === null) return [];
  try {
    if (!statSync(path).isDirectory()) return [{ where: option, what: `${path} is no directory; name one` }];
    accessSync(path, constants.X_OK);
    return [];
  } catch (error) {
    const code = describeCode(errorCode(error));
    return [{ where: option, what: `${path} cannot be entered: ${code}; name a directory that this user may enter` }];
  }
}

/** Whether a file can be written where it is to be. */
export function whyUnwritable(option: string, path: string | null): Problem | null {
  if (path === null) return null;
  const directory = dirname(resolve(path));
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const code = describeCode(errorCode(error));
    return { where: option, what: `nothing can be written to ${directory}: ${code}; name another directory` };
  }
}

/** Whether what a program writes can be appended to it: a file, or a device such as `/dev/null`. */
export function whyNoOutput(option: string, path: string | null): Problem | null {
  const found = path === null ? undefined : lstatSync(path, { throwIfNoEntry: false });
  if (path === null || found === undefined) return whyUnwritable(option, path);
  const hint = 'or write - for our standard output';
  if (found.isSymbolicLink()) {
    return { where: option, what: `${path} is a symbolic link, which is not followed; name the file itself, ${hint}` };
  }
  if (!found.isFile() && !found.isCharacterDevice()) {
    return { where: option, what: `${path} is no regular file; name one, ${hint}` };
  }
  try {
    accessSync(path, constants.W_OK);
    return null;
  } catch (error) {
    return { where: option, what: `${path} cannot be written: ${describeCode(errorCode(error))}; name another file` };
  }
}

/** A path from the root; or the problem that there is no directory any more that it could be relative to. */
export function toAbsolute(option: string, path: string): { readonly path: string } | { readonly problem: Problem } {
  try {
    return { path: resolve(path) };
  } catch (error) {
    errorCode(error);
    const what = `${path} is relative to a directory that was removed; write it from the root`;
    return { problem: { where: option, what } };
  }
}
