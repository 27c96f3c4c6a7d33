/** What a recovery is started with, whoever starts it. */
import { describeCode } from './errors.ts';

/** POSIX leaves open where the shell is; it is here on every system that we run on. */
export const SHELL = '/bin/sh';

/** What to start: a command for the shell, and what it finds when it runs. */
export interface ChildSpec {
  readonly command: string;
  /** `null`: the directory that we are in. */
  readonly cwd: string | null;
  /** Variables besides our own environment, or instead. */
  readonly set: Readonly<Record<string, string>>;
  /** Variables of ours that it shall not find. */
  readonly unset: readonly string[];
  /** `null`: nowhere. */
  readonly output: Output | null;
}

/** Where output goes: a file, by its path and an open descriptor of it, or what we inherited, then `path` is `null`. */
export interface Output {
  readonly path: string | null;
  readonly descriptor: number;
}

/** The step that failed, and the code of the error. */
export interface NotStarted {
  readonly step: 'fork' | 'directory' | 'output' | 'program';
  readonly code: string;
}

/** Why a recovery was not started. */
export function explainNotStarted({ step, code }: NotStarted, spec: Pick<ChildSpec, 'cwd'>, log: string): string {
  const why = describeCode(code);
  if (step === 'directory') return `the directory ${spec.cwd} cannot be entered: ${why}`;
  if (step === 'output') return `its output cannot be appended to ${log}: ${why}`;
  return `${SHELL} could not be started: ${why}`;
}
