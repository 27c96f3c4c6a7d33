/**
 * The entry. Only this file ends the process, and only here a program's defect is
 * told from everything else that can go wrong.
 */

import { isSea } from 'node:sea';
import { isSocket } from './system/descriptors.ts';

// First of all: without a handler, this signal would open Node's debugger to every local user. (The
// executable has that switched off from its first instruction; this is for the bundle that is run by Node.)
if (!isSea()) process.on('SIGUSR1', () => {});
process.on('uncaughtException', endByDefect);

begin().then(end, endByDefect);

/** A brain that the sentinel has started finds it at a descriptor; everything else is the command line. */
function begin(): Promise<number> {
  const isBrain = process.argv[2] === 'brain' && isSocket(3);
  return isBrain
    ? import('./brain/wake.ts').then(({ wake }) => wake())
    : import('./cli/run.ts').then(({ run }) => run(process.argv, process.env));
}

function end(code: number): void {
  process.exit(code);
}

function endByDefect(error: unknown): void {
  const detail = error instanceof Error ? error.stack : String(error);
  console.error(`watchdog: a defect of the watchdog itself, please report it: ${detail}`);
  end(70);
}
