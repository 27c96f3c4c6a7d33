import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Sandbox } from './sandbox.ts';

/** Compiles a fixture written in C into the sandbox, under a name that holds its marker. */
export function compile(sandbox: Sandbox, fixture: string): string {
  const executable = sandbox.path(`${sandbox.marker}-${fixture}`);
  execFileSync('cc', [
    '-O1',
    '-pthread',
    '-o',
    executable,
    join(import.meta.dirname, '..', 'fixtures', `${fixture}.c`),
  ]);
  return executable;
}
