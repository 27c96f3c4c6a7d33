/** How a program of ours is to be started, and what is wrong with the places that its output is to go to. */
import { join, parse, resolve } from 'node:path';
import type { Problem } from '../config/given.ts';
import type { ProgramSettings } from '../config/program-settings.ts';
import { placeOf, type Reader } from '../config/reader.ts';
import type { Restraint } from '../system/child.ts';
import { markOf } from '../system/mark.ts';
import type { ProgramPlan } from './plan.ts';
import { whyNoOutput } from './preflight.ts';

/** In what kind of watch. */
export interface ProgramContext {
  /** The configuration file; `null` for the one target of a command line. */
  readonly config: string | null;
  /** What tells this watch's programs from those of another. */
  readonly familyKey: string;
  readonly isDaemon: boolean;
}

/** `label`: the target's name; `number`: which of several copies it is, `null` where there is only one. */
export function toProgramPlan(
  label: string,
  number: number | null,
  program: ProgramSettings,
  { limits }: Restraint,
  context: ProgramContext,
): ProgramPlan {
  // Whoever sets that limit means it: then only the command itself is known.
  const isMarked = limits.every(({ name }) => name !== 'rttime');
  return {
    script: program.script,
    args: program.args,
    mark: isMarked ? markOf(`${context.familyKey}\0${label}`) : null,
    output: toOutput(program, number, context),
    isForeground: isForeground(program, context),
    priority: program.priority,
    exitOnFailure: program.exitOnFailure,
  };
}

/** The one program of a command line is where the watchdog itself would be. */
export function isForeground({ numprocs }: ProgramSettings, { config, isDaemon }: ProgramContext): boolean {
  return config === null && !isDaemon && numprocs === 1;
}

/** Each copy has files of its own: its number comes before the last dot of a name. */
function toOutput(program: ProgramSettings, number: number | null, context: ProgramContext): ProgramPlan['output'] {
  const { output } = program;
  if (output === 'ours') return output;
  if (output === null) return isForeground(program, context) ? 'ours' : null;
  const own = (path: string): string => {
    const { dir, ext, name } = parse(resolve(path));
    return join(dir, number === null ? `${name}${ext}` : `${name}-${number}${ext}`);
  };
  return { ...output, path: own(output.path), errorPath: output.errorPath === null ? null : own(output.errorPath) };
}

export function whyNoOutputs(
  reader: Reader,
  output: ProgramSettings['output'],
  { isDaemon }: ProgramContext,
): readonly Problem[] {
  const where = placeOf(reader, 'output');
  if (output === null) return [];
  if (output === 'ours') {
    const what = 'is standard output, which a watchdog in the background gives up; name a file';
    return isDaemon ? [{ where, what }] : [];
  }
  const errors = whyNoOutput(placeOf(reader, 'error-output'), output.errorPath);
  return [whyNoOutput(where, output.path), errors].filter((one) => one !== null);
}
