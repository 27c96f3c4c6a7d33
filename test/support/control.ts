/** Watchdogs with a configuration, and operators who ask them. */
import { spawnSync } from 'node:child_process';
import type { StatusAnswer, TargetStatus } from '../../src/control/protocol.ts';
import { processesWith } from './processes.ts';
import { type Running, type Sandbox, WATCHDOG } from './sandbox.ts';
import { waitUntil } from './wait-until.ts';

export const QUICK_DEFAULTS =
  '[defaults]\nconfirm = "300ms"\nsettle = "300ms"\nbackoff = "200ms..2s"\nstart-grace = "2s"\n';

/** A target of a file: a program of its own, and a recovery that counts itself in `ev` and becomes it. */
export function targetTable(sandbox: Sandbox, name: string, more = ''): string {
  const line = `${sandbox.marker}_${name}`;
  return `
[target.${name}]
pattern = "^${line} 1000"
recover = '''echo ${name} >> ${sandbox.path('ev')}; exec bash -c "exec -a ${line} sleep 1000"'''
${more}
`;
}

/** The process of such a target. */
export function pidOf(sandbox: Sandbox, name: string): number | undefined {
  const line = `${sandbox.marker}_${name} `;
  return processesWith(line).find((one) => one.line.startsWith(line) && one.state !== 'Z')?.pid;
}

/** What was recovered, in order. */
export function recovered(sandbox: Sandbox): readonly string[] {
  return sandbox.read('ev').split('\n').slice(0, -1);
}

/** A watchdog of a configuration, with its socket in the sandbox. */
export function watchConfig(sandbox: Sandbox, text: string, args: readonly string[] = []): Running {
  const config = sandbox.write('watchdog.toml', text);
  return sandbox.watchdog(['--config', config, '--control', sandbox.path('control'), ...args]);
}

export interface Said {
  readonly status: number | null;
  readonly output: string;
}

/** An operator's command, to the watchdog of this sandbox. */
export function tell(sandbox: Sandbox, ...args: readonly string[]): Said {
  const [verb = '', ...rest] = args;
  const run = spawnSync(WATCHDOG, [verb, '--control', sandbox.path('control'), ...rest], { encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

/** How a target is, by `status --json`. */
export function statusOf(sandbox: Sandbox, name: string): TargetStatus {
  const said = tell(sandbox, 'status', '--json');
  if (!said.output.startsWith('[')) throw new Error(`${said.status}: ${said.output}`);
  const [answer] = JSON.parse(said.output) as StatusAnswer[];
  const found = answer?.targets.find((target) => target.name === name);
  if (found === undefined) throw new Error(`there is no ${name} in ${said.output}`);
  return found;
}

/** Until the watchdog answers, and a target is so. */
export function until(sandbox: Sandbox, name: string, state: string): Promise<boolean> {
  return waitUntil(`${name} is ${state}`, () => {
    const said = tell(sandbox, 'status', '--json');
    return said.output.startsWith('[') && statusOf(sandbox, name).state === state;
  });
}
