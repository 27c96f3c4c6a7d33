/** Compiles the sentinel with whatever C compiler there is; it needs neither a library nor a header. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const FLAGS = [
  ...['-std=gnu11', '-Os', '-Wall', '-Wextra'],
  // Nothing but our own code in it, at fixed addresses, and all of it in as few pages as can be.
  ...['-static', '-nostdlib', '-ffreestanding', '-fno-pic', '-fno-stack-protector'],
  ...['-fno-asynchronous-unwind-tables', '-s', '-Wl,--build-id=none', '-Wl,-z,noseparate-code', '-Wl,-z,norelro'],
];

/** The sentinel; `null` where there is no C compiler, and then the watchdog is built without it. */
export function compileSentinel(root: string, dist: string): Buffer | null {
  const output = join(dist, 'watchdog-sentinel');
  const compiler = process.env.CC || ['cc', 'gcc', 'clang'].find(isInstalled);
  rmSync(output, { force: true });
  if (compiler === undefined) {
    console.error(
      'watchdog: there is no C compiler (cc, gcc, clang); built without the sentinel, it will stay resident',
    );
    return null;
  }
  const sources = globSync('src/sentinel/*.c', { cwd: root }).sort();
  const { status } = spawnSync(compiler, [...FLAGS, '-o', output, ...sources], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${compiler} could not compile the sentinel`);
  return readFileSync(output);
}

function isInstalled(compiler: string): boolean {
  return spawnSync(compiler, ['--version'], { stdio: 'ignore' }).error === undefined;
}
