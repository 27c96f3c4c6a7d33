/** What can be said of a path without opening it. */
import { accessSync, constants, realpathSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Whether it is there and this user may use it so: a mode of access(2). */
export function isAllowed(path: string, mode = constants.F_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch (error) {
    errorCode(error);
    return false;
  }
}

/** As `/proc/PID/exe` has it. What isn't there (yet) keeps its name. */
export function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    errorCode(error);
    return path;
  }
}
