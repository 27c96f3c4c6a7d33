/**
 * A watch in the background. The command starts itself twice: a leader of a session of its
 * own, without a terminal, and in that session the watchdog, which is no leader and so can
 * never get a terminal. Its standard error comes back to us until it says, by a NUL, that
 * the watch has begun.
 */
import { spawn } from 'node:child_process';
import { isSea } from 'node:sea';
import { STAGE_VARIABLE } from '../config/environment.ts';
import { errorCode } from '../system/errors.ts';
import { ownPath } from '../system/own-process.ts';
import { exitCode } from './exit-codes.ts';
import { printError } from './output.ts';

type Stage = 'leader' | 'daemon';

/** Starts a watch in the background with these arguments; 0 once it has begun, else its exit code. */
export function startInBackground(args: readonly string[], directory?: string): Promise<number> {
  return new Promise((resolve) => {
    const leader = spawnSelf(args, 'leader', directory);
    const said: Buffer[] = [];
    let isOver = false;
    const end = (code: number): void => {
      if (isOver) return;
      isOver = true;
      resolve(code);
    };
    leader.on('error', (error) => {
      printError(`watchdog: it could not be started in the background: ${errorCode(error)}\n`);
      end(exitCode('defect'));
    });
    leader.stderr?.on('data', (data: Buffer) => {
      const at = data.indexOf(0);
      said.push(at < 0 ? data : data.subarray(0, at));
      if (at < 0) return;
      // The leader only waits for the watchdog's end, which is nobody's business any more.
      leader.kill('SIGKILL');
      tell(said);
      end(exitCode('ok'));
    });
    leader.on('close', (code) => {
      if (isOver) return;
      tell(said);
      if (code === 0) printError('watchdog: it ended before the watch had begun\n');
      end(code === null || code === 0 ? exitCode('defect') : code);
    });
  });
}

/** The leader's part: to be the session's, and to pass on how the watchdog ended. */
export function leadSession(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const daemon = spawnSelf(args, 'daemon');
    daemon.on('error', reject);
    daemon.on('exit', (code) => resolve(code ?? exitCode('defect')));
  });
}

function spawnSelf(args: readonly string[], stage: Stage, directory?: string) {
  const script = isSea() ? [] : [ownPath()];
  return spawn(process.execPath, [...script, ...args], {
    detached: stage === 'leader',
    stdio: stage === 'leader' ? ['ignore', 'ignore', 'pipe'] : 'inherit',
    env: { ...process.env, [STAGE_VARIABLE]: stage },
    ...(directory === undefined ? {} : { cwd: directory }),
  });
}

function tell(said: readonly Buffer[]): void {
  const text = Buffer.concat(said).toString('utf8');
  if (text !== '') printError(text);
}
