/**
 * The plan: all that was asked for, normalized and checked once, as plain data. It
 * travels with the memory from one brain to the next, so that a wake reads no option.
 */
import type { Given } from '../config/given.ts';
import { compilePattern, type PatternSettings } from '../config/pattern.ts';
import type { NotifySettings, ReloadRule } from '../config/target-settings.ts';
import type { TargetRules } from '../core/types.ts';
import type { KeptOutput, Limit, Restraint, RunAs } from '../system/child.ts';
import type { Onlooker, Wanted } from '../system/look.ts';
import { openProcessTable } from '../system/process-table.ts';

/** What to watch and how, for every brain of this watch. */
export interface Plan {
  readonly targets: readonly TargetPlan[];
  /** What the user called it; `null` where it has no name. */
  readonly name: string | null;
  /** What its own lines in the log are told of. */
  readonly label: string;
  /** The configuration file; `null` where all was said on the command line. */
  readonly config: string | null;
  /** What the command line says besides: it goes before the file, whenever that is read again. */
  readonly given: Given;
  /** The path of the control socket; `null` where there is none. */
  readonly control: string | null;
  /** Why there is no control socket, if there should be one. */
  readonly controlTrouble: string | null;
  /** Where is kept what outlives the watchdog; `null`: nowhere. */
  readonly saved: string | null;
  /** Signals are handed on to the one program of a command line, each or another in its place; `null`: they are for us. */
  readonly forwards: Readonly<Record<string, string>> | null;
  readonly isResident: boolean;
  /** Started in the background: the terminal is given up once the watch has begun. */
  readonly isDaemon: boolean;
  /** The watchdog's own pid-file; `null`: none. */
  readonly ownPidFile: string | null;
  /** What it was started with, and where: to start it again. */
  readonly startedBy: { readonly arguments: readonly string[]; readonly directory: string };
  readonly onlooker: OnlookerPlan;
  readonly start: StartPlan;
  readonly log: LogPlan;
  /** The brain ends when nothing is due for so long. */
  readonly lingerMs: number;
  readonly beginning: Beginning;
  readonly isQuiet: boolean;
  /** The name of the lock that keeps others from watching the same. */
  readonly lock: string;
  /** How a brain is started: the program, and its arguments from the first. */
  readonly program: string;
  readonly args: readonly string[];
}

/** One thing to watch. */
export interface TargetPlan {
  readonly rules: TargetRules;
  readonly look: LookPlan;
  /** How it is started, where it is a program of ours. */
  readonly program: ProgramPlan | null;
  /** A program that was removed from the configuration and has not ended yet. */
  readonly isRetired: boolean;
  readonly reload: ReloadRule;
  readonly dependsOn: readonly string[];
  readonly groups: readonly string[];
  /** The directory that its commands run in; `null` for ours. */
  readonly cwd: string | null;
  /** Variables for its commands. */
  readonly set: Readonly<Record<string, string>>;
  /** As whom its commands run; `null`: as we do. */
  readonly user: RunAs | null;
  readonly restraint: Restraint;
  readonly notify: NotifySettings;
}

/** How a program of ours is started. */
export interface ProgramPlan {
  /** What `/bin/sh -c` gets, and `$1` and so on behind it. */
  readonly script: string;
  readonly args: readonly string[];
  /** What all that descends from it is known by; `null` where there is nothing to know it by. */
  readonly mark: Limit | null;
  /** The files that its output is kept in, and for how much of it; `ours`: where ours goes; `null`: the log. */
  readonly output: KeptOutput | 'ours' | null;
  /** It has our standard streams and our terminal. */
  readonly isForeground: boolean;
  readonly priority: number;
  /** After so many failures in a row the watchdog ends, too; `null`: it goes on. */
  readonly exitOnFailure: number | null;
}

/** The files that a program's output is kept in; `null` if there are none. */
export function keptOutputOf(program: ProgramPlan | null): KeptOutput | null {
  const output = program?.output ?? null;
  return output === 'ours' ? null : output;
}

/** What the log tells first. */
export interface Beginning {
  readonly version: string;
  readonly user: string;
  readonly directory: string;
  readonly path: string;
}

/** What to look for, before its parts that are no plain data are made. */
export interface LookPlan {
  readonly pattern: PatternSettings | null;
  readonly uids: readonly number[] | null;
  /** An absolute path without links. */
  readonly exe: string | null;
  readonly pidFile: string | null;
  readonly min: number;
}

export interface OnlookerPlan {
  readonly processTable: 'proc' | 'ps' | null;
  readonly arguments: string;
  readonly exe: string | null;
}

/** What is the same for all that is started. */
export interface StartPlan {
  /** Variables of ours that they shall not find. */
  readonly unset: readonly string[];
  /** The same for commands of another user, who shall not have what was said to us. */
  readonly unsetForOthers: readonly string[];
  /** The soft limit of open files that they shall have; `null` for ours. */
  readonly openFilesLimit: number | null;
}

export interface LogPlan {
  /** `null`: standard output. */
  readonly path: string | null;
  readonly format: 'text' | 'json';
  /** Whether its lines are shown on the terminal, too. */
  readonly isShown: boolean;
}

/** Who looks. `commands`: what it starts for its targets. */
export function toOnlooker(plan: OnlookerPlan, commands: readonly string[]): Onlooker {
  return {
    table: openProcessTable(plan.processTable),
    pid: process.pid,
    arguments: plan.arguments,
    exe: plan.exe,
    commands,
  };
}

/** All that is started for these targets, as `sh -c` has it. */
export function commandsOf(targets: readonly TargetPlan[]): readonly string[] {
  const commands = targets.flatMap(({ notify, program, reload, rules }) => [
    ...(notify.onEvent === null ? [] : [notify.onEvent]),
    program?.script ?? rules.recover,
    ...(rules.stop.command === null ? [] : [rules.stop.command]),
    ...('command' in reload ? [reload.command] : []),
  ]);
  return [...new Set(commands)];
}

/** Makes the question of its plan. A pattern that was checked before compiles. */
export async function toWanted(plan: LookPlan, program: ProgramPlan | null): Promise<Wanted> {
  const compiled = plan.pattern === null ? null : await compilePattern(plan.pattern);
  return {
    selector: {
      matches: compiled !== null && 'matcher' in compiled ? compiled.matcher : null,
      uids: plan.uids,
      exe: plan.exe,
    },
    pidFile: plan.pidFile,
    min: plan.min,
    isByFamily: isByFamily(plan, program),
  };
}

/** Whether it is a program of ours of which nothing else is said. */
export function isByFamily({ pattern, pidFile }: LookPlan, program: ProgramPlan | null): boolean {
  return program !== null && pattern === null && pidFile === null;
}
