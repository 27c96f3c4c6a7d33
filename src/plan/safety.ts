/** As root, nothing is taken from where others could change it: it would be their commands that we run. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Problem } from '../config/given.ts';
import { filesOfCommand } from '../core/command-files.ts';
import { findUnsafe, type Unsafe } from '../system/path-safety.ts';

/**
 * What is wrong with the files of a configuration. As another user than root, only where
 * nobody has named it (`isFound`): a directory that one happens to be in may be another's.
 */
export function unsafeFiles(files: readonly string[], isFound: boolean): readonly Problem[] {
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0 && !isFound) return [];
  return files.flatMap((file) => toProblem(file, findUnsafe(file, [uid]), file));
}

/** What is wrong with what a command runs. `runAs`: the user that it runs as, who may have it as well. */
export function unsafeCommand(
  where: string,
  command: string,
  cwd: string | null,
  runAs: number | null,
): readonly Problem[] {
  if (process.geteuid?.() !== 0) return [];
  const files = filesOfCommand(command).map((file) => (cwd === null ? resolve(file) : resolve(cwd, file)));
  return [...new Set(files)]
    .filter((file) => existsSync(file) || existsSync(dirname(file)))
    .flatMap((file) => toProblem(where, findUnsafe(file, runAs === null ? [] : [runAs]), file));
}

function toProblem(where: string, unsafe: Unsafe | null, subject: string): readonly Problem[] {
  if (unsafe === null) return [];
  const { mode, path, why } = unsafe;
  const about = path === subject ? path : `${subject}: ${path}`;
  const isRoot = process.geteuid?.() === 0;
  const mend = why.startsWith('belongs') ? `chown ${isRoot ? 'root ' : ''}${path}` : `chmod go-w ${path}`;
  const what = `${isRoot ? 'as root, ' : ''}${about} (mode ${mode}) is refused: it ${why}; ${mend}, or trust it by trust-paths`;
  return [{ where, what }];
}
