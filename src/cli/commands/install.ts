import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { PLACES } from '../../config/commands.ts';
import type { Problem } from '../../config/given.ts';
import { toName } from '../../import/imported.ts';
import { ENTRIES, type Installation, markOfEntry, type PlaceName, withCronEntry } from '../../install/entries.ts';
import { readWishes } from '../../plan/make-plan.ts';
import { describeCode, errorCode } from '../../system/errors.ts';
import { ownPath } from '../../system/own-process.ts';
import { writeWhole } from '../../system/write-whole.ts';
import { VERSION } from '../../version.ts';
import { exitCode } from '../exit-codes.ts';
import { chooseHost } from '../host-choice.ts';
import { print, printError } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';
import { toWishes } from '../wishes.ts';

const OWN_OPTIONS: readonly string[] = [...Object.keys(PLACES), 'write'].map((name) => `--${name}`);

/** Prints what starts this watch by itself; with `--write` puts it into its place. */
export async function install(invocation: Invocation): Promise<number> {
  const read = await readInstallation(invocation);
  if ('problems' in read) return refuse(read.problems);
  const { installation, isWritten, place } = read;
  const entry = ENTRIES[place](installation);
  if (!isWritten) {
    print(entry);
    return exitCode('ok');
  }
  return place === 'cron'
    ? changeCrontab(installation.name, entry)
    : writeFile(pathOf(place, installation.name), entry, place);
}

/** Takes out exactly what was written. */
export async function uninstall(invocation: Invocation): Promise<number> {
  const read = await readInstallation(invocation);
  if ('problems' in read) return refuse(read.problems);
  const { installation, isWritten, place } = read;
  const path = place === 'cron' ? 'the crontab' : pathOf(place, installation.name);
  if (!isWritten) {
    print(`would take "watchdog ${installation.name}" out of ${path}; --write does it\n`);
    return exitCode('ok');
  }
  return place === 'cron' ? changeCrontab(installation.name, null) : removeFile(path, installation.name);
}

type Read =
  | { readonly problems: readonly Problem[] }
  | { readonly installation: Installation; readonly place: PlaceName; readonly isWritten: boolean };

async function readInstallation(invocation: Invocation): Promise<Read> {
  const { environment, given } = invocation;
  const places = (Object.keys(PLACES) as PlaceName[]).filter((name) => given[name]?.value === true);
  const [place] = places;
  const isWritten = given.write?.value === true;
  const problems: Problem[] = [...invocation.problems];
  if (place === undefined || places.length > 1) {
    const all = Object.keys(PLACES).map((name) => `--${name}`);
    problems.push({ where: 'install', what: `needs one place: ${all.join(', ')}` });
  } else if (isWritten && (place === 'docker' || place === 'kubernetes')) {
    problems.push({ where: '--write', what: `--${place} has no place of its own; put what is printed into your file` });
  }
  const { problems: more, wishes } = toWishes({ ...invocation, problems: [] });
  const { problems: others, targets, watchdog } = await readWishes(wishes, environment);
  problems.push(...more, ...others);
  if (problems.length > 0 || place === undefined) return { problems };
  const host = chooseHost(
    { isResident: watchdog.isResident, isOnce: false, processTable: watchdog.processTable },
    environment,
  );
  const [first] = targets;
  const label = watchdog.name ?? (wishes.config === null ? (first?.rules.name ?? '') : 'watchdog');
  const installation: Installation = {
    name: toName(label.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').replace(/^-+|-+$/g, '')),
    program: ownPath(),
    args: watchArguments(invocation.arguments, wishes.config),
    directory: process.cwd(),
    path: environment.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    isNotifying: host.kind === 'sentinel',
    version: VERSION,
  };
  return { installation, place, isWritten };
}

/** What a watch is started with: without what is about the installing, and the file from the root. */
function watchArguments(all: readonly string[], config: string | null): readonly string[] {
  const at = all.indexOf('--');
  const [own, behind] = at < 0 ? [all.slice(1), []] : [all.slice(1, at), all.slice(at)];
  const kept = own.filter((word) => !OWN_OPTIONS.includes(word));
  const rest = kept.filter((word, index) => !isConfig(word) && !isBareConfig(kept[index - 1] ?? ''));
  return [...(config === null ? [] : ['--config', config]), ...rest, ...behind];
}

function isConfig(word: string): boolean {
  return isBareConfig(word) || word.startsWith('--config=');
}

function isBareConfig(word: string): boolean {
  return word === '--config' || word === '-c';
}

function pathOf(place: Exclude<PlaceName, 'cron'>, name: string): string {
  if (place === 'openrc') return `/etc/init.d/watchdog-${name}`;
  const isRoot = process.geteuid?.() === 0;
  const base = process.env.XDG_CONFIG_HOME;
  const own = join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.config'), 'systemd', 'user');
  return join(isRoot ? '/etc/systemd/system' : own, `watchdog-${name}.service`);
}

const NEXT: Readonly<Record<'systemd' | 'openrc', (path: string) => string>> = {
  systemd: (path) => {
    const user = process.geteuid?.() === 0 ? '' : ' --user';
    return `systemctl${user} daemon-reload && systemctl${user} enable --now ${path.split('/').at(-1)}`;
  },
  openrc: (path) => `rc-update add ${path.split('/').at(-1)} default && rc-service ${path.split('/').at(-1)} start`,
};

/** What is there and is not ours is left alone. */
function writeFile(path: string, entry: string, place: PlaceName): number {
  const there = existsSync(path) ? readFileSync(path, 'utf8') : null;
  if (there === entry) {
    print(`${path} is as it should be\n`);
    return exitCode('ok');
  }
  if (there !== null && !there.includes('written by watchdog install')) {
    return refuse([
      { where: path, what: 'is there, and was not written by watchdog install; move it away, or give another --name' },
    ]);
  }
  try {
    writeWhole(resolve(path), entry, place === 'openrc' ? 0o755 : 0o644);
  } catch (error) {
    printError(
      `watchdog: ${path} cannot be written: ${describeCode(errorCode(error))}; ${dirname(path)} must be there, and yours to write\n`,
    );
    return exitCode('notPermitted');
  }
  const next = place === 'systemd' || place === 'openrc' ? `; now: ${NEXT[place](path)}` : '';
  print(`${path} was written${next}\n`);
  return exitCode('ok');
}

function removeFile(path: string, name: string): number {
  if (!existsSync(path)) {
    print(`${path} is not there\n`);
    return exitCode('ok');
  }
  if (!readFileSync(path, 'utf8').includes(markOfEntry(name))) {
    return refuse([{ where: path, what: 'was not written by watchdog install; it is left alone' }]);
  }
  try {
    unlinkSync(path);
  } catch (error) {
    printError(`watchdog: ${path} cannot be removed: ${describeCode(errorCode(error))}\n`);
    return exitCode('notPermitted');
  }
  print(`${path} was removed\n`);
  return exitCode('ok');
}

/** crontab(1) reads and replaces it whole; one that is empty or missing is told by its exit code. */
function changeCrontab(name: string, entry: string | null): number {
  const listed = spawnSync('crontab', ['-l'], { encoding: 'utf8' });
  if (listed.error !== undefined) {
    printError(
      `watchdog: crontab(1) cannot be run: ${describeCode(errorCode(listed.error))}; install cron, or take another place\n`,
    );
    return exitCode('notPermitted');
  }
  if (listed.status !== 0 && !/no crontab for/.test(listed.stderr)) {
    printError(`watchdog: the crontab cannot be read: ${listed.stderr.trim()}\n`);
    return exitCode('notPermitted');
  }
  const before = listed.status === 0 ? listed.stdout : '';
  const after = withCronEntry(before, name, entry);
  if (after === before) {
    print(entry === null ? `the crontab has no "watchdog ${name}"\n` : 'the crontab is as it should be\n');
    return exitCode('ok');
  }
  const written =
    after === ''
      ? spawnSync('crontab', ['-r'], { encoding: 'utf8' })
      : spawnSync('crontab', ['-'], { encoding: 'utf8', input: after });
  if (written.status !== 0) {
    printError(`watchdog: the crontab cannot be written: ${written.stderr.trim()}\n`);
    return exitCode('notPermitted');
  }
  print(
    entry === null
      ? `"watchdog ${name}" was taken out of the crontab\n`
      : 'the crontab was written; it takes effect at the next boot\n',
  );
  return exitCode('ok');
}
