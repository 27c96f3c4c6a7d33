/**
 * The plan: all that was asked for, normalized and checked once, as plain data. It
 * travels with the memory from one brain to the next, so that a wake reads no option.
 */
import { compilePattern, type PatternSettings } from '../config/pattern.ts';
import type { Target } from '../core/types.ts';
import type { LookQuestion } from '../system/look.ts';
import { openProcessTable } from '../system/process-table.ts';

/** What to watch and how, for every brain of this watch. */
export interface Plan {
  readonly target: Omit<Target, 'deathsAreTold'>;
  /** What the user called it; `null` where it has no name but its label. */
  readonly name: string | null;
  readonly look: LookPlan;
  readonly recovery: RecoveryPlan;
  readonly log: LogPlan;
  /** The brain ends when nothing is due for so long. */
  readonly lingerMs: number;
  readonly beginning: Beginning;
  /** For the jitter of the back-off. */
  readonly seed: number;
  readonly isQuiet: boolean;
  /** The name of the lock that keeps others from watching the same. */
  readonly lock: string;
  /** How a brain is started: the program, and its arguments from the first. */
  readonly program: string;
  readonly args: readonly string[];
}

/** What the log tells first. */
export interface Beginning {
  readonly version: string;
  readonly user: string;
  readonly directory: string;
}

/** A question for the machine, before its parts that are no plain data are made. */
export interface LookPlan {
  readonly pattern: PatternSettings | null;
  readonly uids: readonly number[] | null;
  /** An absolute path without links. */
  readonly exe: string | null;
  readonly pidFile: string | null;
  readonly min: number;
  readonly processTable: 'proc' | 'ps' | null;
  readonly ownArguments: string;
  readonly ownExe: string | null;
  readonly recover: string | null;
}

export interface RecoveryPlan {
  readonly cwd: string | null;
  /** Variables for the recovery, and those of ours that it shall not find. */
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  /** The soft limit of open files that it shall have; `null` for ours. */
  readonly openFilesLimit: number | null;
}

export interface LogPlan {
  /** `null`: standard output. */
  readonly path: string | null;
  readonly format: 'text' | 'json';
  /** Whether its lines are shown on the terminal, too. */
  readonly isShown: boolean;
}

/** Makes the question of its plan. A pattern that was checked before compiles. */
export async function toQuestion(plan: LookPlan): Promise<LookQuestion> {
  const compiled = plan.pattern === null ? null : await compilePattern(plan.pattern);
  return {
    table: openProcessTable(plan.processTable),
    selector: {
      matches: compiled !== null && 'matcher' in compiled ? compiled.matcher : null,
      uids: plan.uids,
      exe: plan.exe,
    },
    pidFile: plan.pidFile,
    min: plan.min,
    self: { pid: process.pid, arguments: plan.ownArguments, exe: plan.ownExe, recover: plan.recover },
  };
}
