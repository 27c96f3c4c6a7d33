import { nearest } from './nearest.ts';
import { type CommandName, OPTION_SPECS, type OptionSpec, type RawOptions, variableName } from './options.ts';
import type { Problem } from './problem.ts';

/** Set by others under our prefix: systemd for its own watchdog (sd_watchdog_enabled(3)). */
const FOREIGN_VARIABLES: ReadonlySet<string> = new Set(['WATCHDOG_USEC', 'WATCHDOG_PID']);

/** What a recovery is told of why it runs. A watchdog that is started by a recovery finds these set. */
export const CONTEXT_VARIABLES = ['WATCHDOG_TARGET', 'WATCHDOG_CAUSE', 'WATCHDOG_ATTEMPT', 'WATCHDOG_BY'] as const;

/** The variables of the environment that are ours: they stand for options, and are not handed on. */
export const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...OPTION_SPECS.map((option) => variableName(option.name)),
  ...CONTEXT_VARIABLES,
]);

/** The options that the environment gives to a command; an empty variable gives none. */
export function readEnvironment(
  command: CommandName,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly raw: RawOptions; readonly problems: readonly Problem[] } {
  const raw: Record<string, string | readonly string[] | true> = {};
  const problems: Problem[] = [];
  for (const option of OPTION_SPECS) {
    const variable = variableName(option.name);
    const text = environment[variable];
    if (text === undefined || text === '' || !option.commands.includes(command)) continue;
    const value = readValue(option, text);
    if (value === null) problems.push({ where: variable, what: `"${text}" is neither true nor false` });
    else if (value !== false) raw[option.name] = value;
  }
  return { raw: raw as RawOptions, problems: [...problems, ...misspelt(Object.keys(environment))] };
}

function readValue(option: OptionSpec, text: string): string | readonly string[] | boolean | null {
  if (option.isRepeatable === true) return text.split('\n').filter((line) => line !== '');
  if (option.value !== undefined) return text;
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  return /^(0|false|no|off)$/i.test(text) ? false : null;
}

/** Variables that are one slip away from one of ours. Others under our prefix are somebody else's. */
function misspelt(variables: readonly string[]): Problem[] {
  const known = [...OWN_VARIABLES];
  return variables
    .filter((variable) => variable.startsWith('WATCHDOG_'))
    .filter((variable) => !OWN_VARIABLES.has(variable) && !FOREIGN_VARIABLES.has(variable))
    .flatMap((variable) => {
      const meant = nearest(
        variable.slice(9),
        known.map((name) => name.slice(9)),
      );
      return meant === null
        ? []
        : [{ where: variable, what: `there is no such variable; did you mean WATCHDOG_${meant}?` }];
    });
}
