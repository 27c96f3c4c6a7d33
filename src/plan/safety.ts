/** As root, nothing is taken from where others could change it: it would be their commands that we run. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Problem } from '../config/given.ts';
import { filesOfCommand } from '../core/command-files.ts';
import { findUnsafe, type Unsafe } from '../system/path-safety.ts';

/** What is wrong with the files of a configuration. */
export function unsafeFiles(files: readonly string[]): readonly Problem[] {
  if (process.geteuid?.() !== 0) return [];
  return files.flatMap((file) => toProblem(file, findUnsafe(file, []), 'the configuration'));
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

function toProblem(where: string, unsafe: Unsafe | null, what: string): readonly Problem[] {
  if (unsafe === null) return [];
  const { mode, path, why } = unsafe;
  const about = path === what ? path : `${what}: ${path}`;
  const mend = why.startsWith('belongs') ? `chown root ${path}` : `chmod go-w ${path}`;
  return [
    { where, what: `as root, ${about} (mode ${mode}) is refused: it ${why}; ${mend}, or trust it by trust-paths` },
  ];
}
