/** What a recovery is started with, whoever starts it. */
import { describeCode } from './errors.ts';

/** POSIX leaves open where the shell is; it is here on every system that we run on. */
export const SHELL = '/bin/sh';

/** What to start: a command for the shell, and what it finds when it runs. */
export interface ChildSpec {
  readonly command: string;
  /** What the command finds as `$1` and so on. */
  readonly args: readonly string[];
  /** What all that descends from it is known by, a limit that says nothing else; `null`: nothing. */
  readonly mark: Limit | null;
  /** It has our standard streams, and our terminal as the one in the foreground. */
  readonly isForeground: boolean;
  /** `null`: the directory that we are in. */
  readonly cwd: string | null;
  /** Variables besides our own environment, or instead. */
  readonly set: Readonly<Record<string, string>>;
  /** Variables of ours that it shall not find. */
  readonly unset: readonly string[];
  /** `null`: nowhere. */
  readonly output: Output | KeptOutput | null;
  /** As whom; `null`: as we do. */
  readonly user: RunAs | null;
  readonly restraint: Restraint;
}

/** A user with all that belongs to it, by numbers. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups: these and no others. */
  readonly groups: readonly number[];
}

/** What it may take of the machine; `null` where it is as ours. */
export interface Restraint {
  readonly umask: number | null;
  /** -20 to 19. */
  readonly nice: number | null;
  readonly limits: readonly Limit[];
}

/** `null`: without a limit. */
export interface Limit {
  readonly name: string;
  readonly soft: number | null;
  readonly hard: number | null;
}

export const NO_RESTRAINT: Restraint = { umask: null, nice: null, limits: [] };

/** Where output goes: a file, by its path and an open descriptor of it, or what we inherited, then `path` is `null`. */
export interface Output {
  readonly path: string | null;
  readonly descriptor: number;
}

/** Files for the output of one program alone. `maxBytes` 0: they grow without bounds. */
export interface KeptOutput {
  /** From the root. */
  readonly path: string;
  /** Where standard error goes, from the root; `null`: along with standard output. */
  readonly errorPath: string | null;
  /** Of each. */
  readonly maxBytes: number;
  readonly keep: number;
}

/** The step that failed, and the code of the error. */
export interface NotStarted {
  readonly step: 'fork' | 'output' | 'limits' | 'user' | 'directory' | 'program';
  readonly code: string;
}

/** Why a recovery was not started. */
export function explainNotStarted({ step, code }: NotStarted, spec: Pick<ChildSpec, 'cwd'>, log: string): string {
  const why = describeCode(code);
  if (step === 'directory') return `the directory ${spec.cwd} cannot be entered: ${why}`;
  if (step === 'user') return `it cannot run as its user, and is not run as another: ${why}`;
  if (step === 'limits') return `its limits or niceness cannot be set: ${why}`;
  if (step === 'output') return `its output cannot be appended to ${log}: ${why}`;
  return `${SHELL} could not be started: ${why}`;
}
