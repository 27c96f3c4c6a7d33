import { openProcessTable } from '../../system/process-table.ts';
import { exitCode } from '../exit-codes.ts';
import { chooseHost } from '../host-choice.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';

/** Tells how a watch would wait on this machine, and every reason. */
export async function doctor({ environment, given, problems }: Invocation): Promise<number> {
  if (problems.length > 0) return refuse(problems);
  const isResident = given.resident?.value === true;
  const choice = chooseHost({ isResident, isOnce: false, processTable: null }, environment);
  const lines =
    choice.kind === 'sentinel'
      ? [`host: sentinel, executed from ${choice.where}`, ...choice.reasons.map((reason) => `  not from ${reason}`)]
      : [`host: resident, ${choice.why.split(':')[0]}`, ...choice.reasons.map((reason) => `  ${reason}`)];
  const table = openProcessTable(null);
  const trouble = (await table.scan(() => false)).troubleFor(null);
  lines.push(`process table: ${table.kind === 'proc' ? '/proc' : 'ps'}${trouble === null ? '' : `, but ${trouble}`}`);
  print(`${lines.join('\n')}\n`);
  return exitCode('ok');
}
