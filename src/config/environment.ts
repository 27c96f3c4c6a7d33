import type { CommandName } from './commands.ts';
import type { Given, GivenValue, Problem, RawValue } from './given.ts';
import { nearest } from './nearest.ts';
import type { OptionSpec } from './option-spec.ts';
import { isRepeatable, OPTION_SPECS, optionName, variableName } from './options.ts';

/** Set by others under our prefix: systemd for its own watchdog (sd_watchdog_enabled(3)). */
const FOREIGN_VARIABLES: ReadonlySet<string> = new Set(['WATCHDOG_USEC', 'WATCHDOG_PID']);

/** What a recovery is told of why it runs. A watchdog that is started by a recovery finds these set. */
export const CONTEXT_VARIABLES = [
  'WATCHDOG_TARGET',
  'WATCHDOG_CAUSE',
  'WATCHDOG_ATTEMPT',
  'WATCHDOG_BY',
  'WATCHDOG_EVENT',
  'WATCHDOG_MESSAGE',
  'WATCHDOG_TIME',
  'WATCHDOG_SKIPPED',
  'WATCHDOG_TARGET_PID',
  'WATCHDOG_URL',
  'WATCHDOG_BODY',
  'WATCHDOG_NUMBER',
] as const;

/** Which of the processes of a start in the background this is; unset for the one that the user called. */
export const STAGE_VARIABLE = 'WATCHDOG_STAGE';

/** The variables of the environment that are ours: they stand for options, and are not handed on. */
export const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...OPTION_SPECS.flatMap((option) => variableOf(option) ?? []),
  ...CONTEXT_VARIABLES,
  STAGE_VARIABLE,
]);

/** The variable of an option; `null` for what is only a key of a file. */
export function variableOf(option: OptionSpec): string | null {
  const name = optionName(option);
  return name === null ? null : variableName(name);
}

/** The options that the environment gives to a command; an empty variable gives none. */
export function readEnvironment(
  command: CommandName,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly given: Given; readonly problems: readonly Problem[] } {
  const given: Record<string, GivenValue> = {};
  const problems: Problem[] = [];
  for (const option of OPTION_SPECS) {
    const variable = variableOf(option);
    const text = variable === null ? undefined : environment[variable];
    if (variable === null || text === undefined || text === '' || !option.commands.includes(command)) continue;
    const value = readValue(option, text);
    if (value === null) problems.push({ where: variable, what: `"${text}" is neither true nor false` });
    else if (value !== false) given[option.name] = { value, from: variable };
  }
  return { given, problems: [...problems, ...misspelt(Object.keys(environment))] };
}

function readValue(option: OptionSpec, text: string): RawValue | null {
  if (isRepeatable(option)) return text.split('\n').filter((line) => line !== '');
  if (option.type !== 'switch') return text;
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
