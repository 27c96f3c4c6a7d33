import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Writes a file whole or not at all: under another name beside it, which is then renamed. Throws what the system says. */
export function writeWhole(path: string, text: string, mode: number): void {
  const unfinished = `${path}.${process.pid}`;
  rmSync(unfinished, { force: true });
  // It must be new: whoever might have put a link there has not the right to more than this directory.
  writeFileSync(unfinished, text, { mode, flag: 'wx' });
  renameSync(unfinished, path);
}
