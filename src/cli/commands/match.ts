import { compilePattern, type PatternSettings } from '../../config/pattern.ts';
import { formatDuration } from '../../core/duration.ts';
import { escapeForeign } from '../../core/escape.ts';
import { looksLikeBystander, narrowerPattern } from '../../core/lookalike.ts';
import { LEFT_OUT_TEXT } from '../../core/match.ts';
import type { ProcessRecord } from '../../core/process.ts';
import { type Look, lookAround } from '../../system/look.ts';
import { userName } from '../../system/users.ts';
import { exitCode } from '../exit-codes.ts';
import { toLookTask } from '../look-task.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';
import { formatTable } from '../table.ts';

/** Shows what matches, what was left out and why, and warns where the pattern seems to mean something else. */
export async function match(invocation: Invocation): Promise<number> {
  const task = await toLookTask(invocation);
  if ('problems' in task) return refuse(task.problems);
  const { onlooker, select, wanted } = task;
  const look = await lookAround(onlooker, wanted);
  const warning = await warn(look, select.pattern);
  print(invocation.given.json?.value === true ? formatJson(look, warning) : formatText(look, warning));
  if (look.matches.length >= select.min) return exitCode('ok');
  return exitCode(look.trouble === null ? 'down' : 'unknown');
}

interface Warning {
  readonly text: string;
  readonly narrowerPattern: string | null;
}

async function warn(look: Look, pattern: PatternSettings | null): Promise<Warning | null> {
  if (pattern === null || look.matches.length === 0 || !look.matches.every(looksLikeBystander)) return null;
  const text = 'all that matches looks like an editor, a pager, a search or a shell that only names the target';
  return { text, narrowerPattern: await proposePattern(pattern, look.matches) };
}

/** A narrower pattern that none of these matches; `null` if there is none to offer. */
async function proposePattern(pattern: PatternSettings, bystanders: readonly ProcessRecord[]): Promise<string | null> {
  const text = narrowerPattern(pattern.text, pattern.isFixed);
  if (text === null) return null;
  const compiled = await compilePattern({ ...pattern, text, isFixed: false, isExact: false });
  if ('problem' in compiled) return null;
  return bystanders.some((one) => compiled.matcher(one.commandLine)) ? null : text;
}

function formatText(look: Look, warning: Warning | null): string {
  const parts: string[] = [];
  if (look.trouble !== null) parts.push(`could not look: ${look.trouble}\n`);
  if (look.pidFileProblem !== null) parts.push(`${look.pidFileProblem}\n`);
  if (look.matches.length > 0) {
    parts.push(formatTable(['PID', 'USER', 'AGE', 'COMMAND'], look.matches.map(toRow)));
  } else if (look.trouble === null) parts.push('nothing matches\n');
  if (look.leftOut.length > 0) {
    const rows = look.leftOut.map(({ record, why }) => [
      ...toRow(record).slice(0, 3),
      LEFT_OUT_TEXT[why],
      command(record),
    ]);
    parts.push(`\nleft out:\n${formatTable(['PID', 'USER', 'AGE', 'WHY', 'COMMAND'], rows)}`);
  }
  if (warning !== null) {
    const instead = warning.narrowerPattern;
    parts.push(
      `\nwarning: ${warning.text}; ${instead === null ? 'use --exe or --user' : `try --pattern '${instead}'`}\n`,
    );
  }
  return parts.join('');
}

function toRow(record: ProcessRecord): string[] {
  return [String(record.pid), userName(record.uid), formatDuration(record.ageMs), command(record)];
}

function command(record: ProcessRecord): string {
  const text = escapeForeign(record.commandLine);
  return record.state === 'stopped' ? `${text} (stopped)` : text;
}

function formatJson(look: Look, warning: Warning | null): string {
  const plain = (record: ProcessRecord) => ({
    pid: record.pid,
    ppid: record.ppid,
    user: userName(record.uid),
    ageMs: Math.round(record.ageMs),
    state: record.state,
    exe: record.exe,
    command: escapeForeign(record.commandLine),
  });
  const result = {
    matches: look.matches.map(plain),
    leftOut: look.leftOut.map(({ record, why }) => ({ ...plain(record), why, reason: LEFT_OUT_TEXT[why] })),
    pidFileProblem: look.pidFileProblem,
    trouble: look.trouble,
    warning: warning?.text ?? null,
    narrowerPattern: warning?.narrowerPattern ?? null,
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
