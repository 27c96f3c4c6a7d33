/**
 * The entry. Only this file ends the process, and only here a program's defect is
 * told from everything else that can go wrong.
 */

// First of all: without a handler, this signal would open Node's debugger to every local user. (The
// executable has that switched off from its first instruction; this is for the bundle that is run by Node.)
process.on('SIGUSR1', () => {});
process.on('uncaughtException', endByDefect);

import('./cli/run.ts').then(({ run }) => run(process.argv, process.env)).then(end, endByDefect);

function end(code: number): void {
  process.exit(code);
}

function endByDefect(error: unknown): void {
  const detail = error instanceof Error ? error.stack : String(error);
  console.error(`watchdog: a defect of the watchdog itself, please report it: ${detail}`);
  end(70);
}
