/** What a row of the table of options says. */
import type { CommandName } from './commands.ts';

export type OptionGroup =
  | 'What to watch'
  | 'What to do'
  | 'A program of ours'
  | 'Being told'
  | 'When'
  | 'The log'
  | 'This run';

/**
 * Where it counts. `target`: for one target, so that in a file it stands in `[target.NAME]`
 * or `[defaults]`. `watchdog`: once, at the top of the file. `run`: not in a file at all.
 */
export type OptionScope = 'target' | 'watchdog' | 'run';

/** How the value is written. `path`: in a file, relative to its directory. */
export type OptionType =
  | 'text'
  /** Text for the shell, or a list of words; on the command line all that follows `--`. */
  | 'command'
  | 'path'
  | 'duration'
  | 'count'
  /** Bytes, as a number or with kB, MB or GB. */
  | 'size'
  | 'switch'
  | 'choice'
  | 'list'
  /** `NAME=VALUE`, several times; in a file a table of strings. */
  | 'variables'
  /** The same, where numbers need no quotes. */
  | 'limits';

export interface OptionSpec {
  /** As in `--pid-file`, without the dashes; and the key in a file. */
  readonly name: string;
  /** Where the option has another name than the key; `null` where it is a key only. */
  readonly option?: string | null;
  readonly short?: string;
  readonly type: OptionType;
  /** What stands for the value in the help; none for a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly help: string;
  readonly group: OptionGroup;
  readonly scope: OptionScope;
  readonly default?: string;
  readonly commands: readonly CommandName[];
}
