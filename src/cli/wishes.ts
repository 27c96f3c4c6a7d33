/** What a command line asks to be watched: its one target, or what a configuration says. */
import { resolve } from 'node:path';
import type { Given, Problem } from '../config/given.ts';
import { OPTION_SPECS, optionName } from '../config/options.ts';
import { defaultConfigPaths, findConfig, loadConfig } from '../plan/load-config.ts';
import { type Wishes, wishesOf, wishesOfConfig } from '../plan/make-plan.ts';
import { unsafeFiles } from '../plan/safety.ts';
import type { Invocation } from './run.ts';

/** The wishes; with problems, those that hold all the same. */
export function toWishes({ environment, given, problems }: Invocation): {
  readonly wishes: Wishes;
  readonly problems: readonly Problem[];
} {
  const path = configPath(given, environment);
  if (path === null) return { wishes: wishesOf(given), problems };
  const { config, problems: more } = loadConfig(path, environment);
  // Only who starts us can say so: a file that others could write would say it, too.
  const unsafe = given['trust-paths']?.value === true ? [] : unsafeFiles(config.files, given.config === undefined);
  const all = [...problems, ...refuseTarget(given), ...unsafe, ...more];
  return { wishes: wishesOfConfig(path, config, given), problems: all };
}

/** The file that was named, or where no target was given the one that is there; from the root. `null`: none. */
export function configPath(given: Given, environment: NodeJS.ProcessEnv): string | null {
  const named = given.config?.value;
  if (typeof named === 'string' && named !== '') return resolve(named);
  const hasTarget = OPTION_SPECS.some(({ name, scope }) => scope === 'target' && name in given);
  const found = hasTarget ? null : findConfig(environment);
  return found === null ? null : resolve(found);
}

/** Where one would be taken from that is not named, for messages. */
export function whereConfigs(environment: NodeJS.ProcessEnv): string {
  return [...defaultConfigPaths(environment), './watchdog.toml'].join(', ');
}

/** A file has targets of its own: which of them would an option of a target mean? */
function refuseTarget(given: Given): readonly Problem[] {
  return OPTION_SPECS.filter(({ name, scope }) => scope === 'target' && name in given).map((spec) => ({
    where: given[spec.name as keyof Given]?.from ?? `--${optionName(spec)}`,
    what: 'is of one target, and contradicts --config; write it into the file',
  }));
}
