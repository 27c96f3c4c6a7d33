/** What only this machine can tell to be wrong with a path that the user gave. */
import { accessSync, constants, statSync } from 'node:fs';
import type { Problem } from '../config/problem.ts';
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
