/** What is asked of the table of options. */
import type { OptionSpec } from './option-spec.ts';
import { OPTIONS } from './option-table.ts';

export type OptionName = (typeof OPTIONS)[number]['name'];

/** Whether it is made of several pairs, and may be given several times. As a variable: one a line. */
export function isRepeatable({ type }: OptionSpec): boolean {
  return type === 'variables' || type === 'limits';
}

/** The name on the command line, without the dashes; `null` for what is a key only. */
export function optionName(spec: OptionSpec): string | null {
  return spec.option === undefined ? spec.name : spec.option;
}

/** The variable that stands for an option: `WATCHDOG_PID_FILE`. */
export function variableName(option: string): string {
  return `WATCHDOG_${option.toUpperCase().replaceAll('-', '_')}`;
}

/** The table as plain specifications, for those that go through all of it. */
export const OPTION_SPECS: readonly OptionSpec[] = OPTIONS;

/** The row of an option. */
export function specOf(name: OptionName): OptionSpec {
  return OPTION_SPECS.find((spec) => spec.name === name) as OptionSpec;
}
