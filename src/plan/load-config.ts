/** A configuration from the disk: the file, and all that it includes. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type ConfigFile, type GivenTarget, readConfigFile, withDefaults } from '../config/file.ts';
import type { Given, GivenValue, Problem } from '../config/given.ts';
import { toGlob } from '../core/glob.ts';
import { describeCode, errorCode } from '../system/errors.ts';
import { isAllowed } from '../system/paths.ts';

/** All that the files say; each target has the defaults of the first file in it. */
export interface LoadedConfig {
  readonly watchdog: Given;
  readonly targets: readonly GivenTarget[];
  /** Every file that was read, and every directory that was searched for some. */
  readonly files: readonly string[];
}

/** No configuration is longer; what is has been mistaken for one. */
const MAX_BYTES = 16 * 1_024 * 1_024;

/** Where a configuration is looked for that was not named, in this order. */
export function defaultConfigPaths(environment: NodeJS.ProcessEnv): readonly string[] {
  const base = environment.XDG_CONFIG_HOME;
  const own = base?.startsWith('/') ? base : join(environment.HOME || homedir(), '.config');
  return ['/etc/watchdog/watchdog.toml', join(own, 'watchdog', 'watchdog.toml')];
}

/** The configuration that is there without being named; `null` if there is none. */
export function findConfig(environment: NodeJS.ProcessEnv): string | null {
  return [...defaultConfigPaths(environment), './watchdog.toml'].find((path) => isAllowed(path)) ?? null;
}

/** Reads the configuration at `path`, an absolute path. With problems, what is returned is not to be used. */
export function loadConfig(
  path: string,
  environment: NodeJS.ProcessEnv,
): { readonly config: LoadedConfig; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const main = readOne(path, path, environment, problems);
  // Directories of additions among them: whoever can write there can add targets.
  const files = [path];
  const targets = [...(main?.targets ?? [])];
  for (const pattern of main?.include ?? []) {
    if (/[*?]/.test(basename(String(pattern.value)))) files.push(dirname(String(pattern.value)));
    for (const included of findIncluded(pattern, problems)) {
      if (files.includes(included)) continue;
      files.push(included);
      const file = readOne(included, pattern.from, environment, problems);
      if (file === null) continue;
      refuseSettings(file, problems);
      targets.push(...file.targets);
    }
  }
  refuseTwins(targets, problems);
  if (targets.length === 0 && problems.length === 0) {
    problems.push({ where: path, what: 'has no target; write [target.NAME] with a pattern and a recover command' });
  }
  const defaults = main?.defaults ?? {};
  const config = {
    watchdog: main?.watchdog ?? {},
    targets: targets.map((target) => ({ ...target, given: withDefaults(target.given, defaults) })),
    files,
  };
  return { config, problems };
}

/** `where`: what asked for the file, if it can't be read. */
function readOne(path: string, where: string, environment: NodeJS.ProcessEnv, problems: Problem[]): ConfigFile | null {
  const read = readText(path);
  if ('why' in read) {
    problems.push({ where, what: where === path ? read.why : `${path} ${read.why}` });
    return null;
  }
  const { file, problems: more } = readConfigFile(read.text, path, environment);
  problems.push(...more);
  return file;
}

/** Never waits, and never reads more than a configuration takes, whatever the path leads to. */
function readText(path: string): { readonly text: string } | { readonly why: string } {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) return { why: 'is no regular file; name a file in TOML' };
      if (stats.size > MAX_BYTES) return { why: `has ${stats.size} bytes; at most ${MAX_BYTES} are allowed` };
      return { text: readFileSync(descriptor, 'utf8') };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { why: `cannot be read: ${describeCode(errorCode(error))}` };
  }
}

/** The files of an `include`: one, which must be there, or all that a pattern in the last part of the path fits. */
function findIncluded({ from, value }: GivenValue, problems: Problem[]): readonly string[] {
  const path = String(value);
  const [directory, name] = [dirname(path), basename(path)];
  if (/[*?]/.test(directory)) {
    problems.push({ where: from, what: `${path} has a "*" or "?" in a directory; only the last part may have one` });
    return [];
  }
  if (!/[*?]/.test(name)) return [path];
  try {
    const fits = toGlob(name);
    const names = readdirSync(directory).filter((one) => fits(one) && !one.startsWith('.'));
    return names.sort().map((one) => join(directory, one));
  } catch (error) {
    const code = errorCode(error);
    // A directory for additions need not be there.
    if (code !== 'ENOENT') problems.push({ where: from, what: `${directory} cannot be listed: ${describeCode(code)}` });
    return [];
  }
}

/** An included file adds targets; what holds for all of them is said in one place. */
function refuseSettings(file: ConfigFile, problems: Problem[]): void {
  const given = [...Object.values(file.watchdog), ...Object.values(file.defaults), ...file.include];
  for (const { from } of given) {
    problems.push({
      where: from,
      what: 'may not stand in an included file, which has targets only; move it to the first file',
    });
  }
}

function refuseTwins(targets: readonly GivenTarget[], problems: Problem[]): void {
  const first = new Map<string, GivenTarget>();
  for (const target of targets) {
    const other = first.get(target.name);
    if (other === undefined) first.set(target.name, target);
    else
      problems.push({
        where: target.place,
        what: `is there already, at ${other.place}; give one of them another name`,
      });
  }
}
