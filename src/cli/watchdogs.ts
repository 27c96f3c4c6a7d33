/** The watchdogs at work that a command asks: where they are, and what they answer. */
import { lstatSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ask, type Reply } from '../control/client.ts';
import type { ControlRequest, Refusal, StatusAnswer } from '../control/protocol.ts';
import { selectNames } from '../core/fleet.ts';
import { loadConfig } from '../plan/load-config.ts';
import { controlPlaceOf, wishesOfConfig } from '../plan/make-plan.ts';
import { describeCode, errorCode } from '../system/errors.ts';
import { isAllowed } from '../system/paths.ts';
import { listRunDirectories, runDirectory } from '../system/run-directory.ts';
import { exitCode } from './exit-codes.ts';
import { printError } from './output.ts';
import type { Invocation } from './run.ts';

/** Where root's are. */
const ROOTS_DIRECTORY = '/run/watchdog';

/** What nobody has listened at for so long was left behind by a watchdog that was killed. */
const DEAD_MS = 60_000;

/** One that answered. */
export interface Answered {
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

/** Answers, at least one; or the exit code, when what is wrong has been said. */
export type Asking = { readonly answers: readonly [Answered, ...Answered[]] } | { readonly code: number };

/** Asks every watchdog of this user, or the one that the options name. */
export async function askAll(
  invocation: Invocation,
  request: ControlRequest,
  whenNobody: (invocation: Invocation) => number = sayNobody,
): Promise<Asking> {
  const found = findSockets(invocation, whenNobody);
  if ('code' in found) return found;
  const replies = await Promise.all(found.paths.map(async (path) => ({ path, reply: await ask(path, request) })));
  const [first, ...others] = replies.flatMap(({ path, reply }) => ('code' in reply ? [] : [{ path, ...reply }]));
  for (const { path, reply } of replies) if ('code' in reply && reply.code === 'ECONNREFUSED') forget(path);
  if (first !== undefined) return { answers: [first, ...others] };
  const refused = replies.find(({ reply }) => 'code' in reply && reply.code === 'EACCES');
  if (refused !== undefined) return { code: refuseStranger(refused.path) };
  const odd = replies.find(({ reply }) => 'code' in reply && !isNobody(reply));
  if (odd !== undefined && 'code' in odd.reply) {
    printError(`watchdog: ${odd.path} did not answer: ${describeCode(odd.reply.code)}\n`);
    return { code: exitCode('unknown') };
  }
  return { code: whenNobody(invocation) };
}

/**
 * Asks for something to be done with targets by their names, each at the watchdog that has
 * them. A word that no watchdog knows is an error, and then nothing is done anywhere.
 */
export async function order(invocation: Invocation, request: ControlRequest): Promise<Asking> {
  const asked = await askAll(invocation, { ...request, verb: 'status', targets: [] });
  if ('code' in asked) return asked;
  const known = asked.answers.map(({ body, path }) => ({ path, targets: (body as StatusAnswer).targets }));
  const unknown = request.targets.filter((word) =>
    known.every(({ targets }) => selectNames([word], targets).unknown.length > 0),
  );
  if (unknown.length > 0) {
    const names = known.flatMap(({ targets }) => targets.map(({ name }) => name));
    printError(`watchdog: there is no target or group ${unknown.join(', ')}; targets are ${names.join(', ')}\n`);
    return { code: exitCode('usage') };
  }
  const wanted = known
    .map(({ path, targets }) => ({ path, names: selectNames(request.targets, targets).names }))
    .filter(({ names }) => names.length > 0);
  const answers: Answered[] = [];
  for (const { path, reply } of await Promise.all(
    wanted.map(async ({ names, path }) => ({ path, reply: await ask(path, { ...request, targets: names }) })),
  )) {
    if (!('code' in reply)) answers.push({ path, ...reply });
    else printError(`watchdog: the watchdog at ${path} ended before it answered\n`);
  }
  const [first, ...others] = answers;
  return first === undefined || answers.length < wanted.length
    ? { code: exitCode('unknown') }
    : { answers: [first, ...others] };
}

/** The one that is meant where only one can be; several are told apart by their names. */
export async function askOne(invocation: Invocation, request: ControlRequest): Promise<Asking> {
  const asked = await askAll(invocation, { ...request, verb: 'status', targets: [] });
  if ('code' in asked) return asked;
  if (asked.answers.length > 1) {
    const list = asked.answers.map(({ body, path }) => `  ${path}  (pid ${(body as StatusAnswer).watchdog.pid})`);
    printError(`watchdog: there are several watchdogs; name one by --control:\n${list.join('\n')}\n`);
    return { code: exitCode('usage') };
  }
  const [only] = asked.answers;
  const reply = await ask(only.path, request);
  if ('code' in reply) return { code: sayNobody(invocation) };
  return { answers: [{ path: only.path, ...reply }] };
}

/** Where watchdogs of this user may listen. */
export function findSockets(
  invocation: Invocation,
  whenNobody: (invocation: Invocation) => number = sayNobody,
): { readonly paths: readonly string[] } | { readonly code: number } {
  const { environment, given } = invocation;
  const named = given.control?.value;
  if (typeof named === 'string' && named !== '') return { paths: [resolve(named)] };
  const directory = runDirectory(environment);
  const config = given.config?.value;
  if (typeof config === 'string' && config !== '') {
    const path = socketOf(config, invocation);
    return path === null ? { code: whenNobody(invocation) } : { paths: [path] };
  }
  const name = given.name?.value;
  if (typeof name === 'string') return { paths: [join(directory, `${name}.sock`)] };
  try {
    const all = process.geteuid?.() === 0 ? [directory, ...listRunDirectories()] : [directory];
    const paths = all.flatMap((one) => listSockets(one));
    if (paths.length > 0) return { paths };
  } catch (error) {
    if (errorCode(error) === 'EACCES') return { code: refuseStranger(directory) };
  }
  return { code: whenNobody(invocation) };
}

function listSockets(directory: string): readonly string[] {
  const names = isAllowed(directory) ? readdirSync(directory).filter((name) => name.endsWith('.sock')) : [];
  return names.sort().map((name) => join(directory, name));
}

/** Where the watchdog of this configuration listens, by what the file says; `null`: nowhere. */
function socketOf(config: string, { environment, given }: Invocation): string | null {
  const path = resolve(config);
  const wishes = wishesOfConfig(path, loadConfig(path, environment).config, given);
  return controlPlaceOf(wishes, environment);
}

/** Sockets of everybody's watchdogs, as far as `/proc/net/unix` shows them. */
function socketsIn(directory: string): readonly string[] {
  try {
    const lines = readFileSync('/proc/net/unix', 'latin1').split('\n');
    return lines.flatMap((line) => line.trim().split(' ').slice(7)).filter((path) => path.startsWith(`${directory}/`));
  } catch (error) {
    errorCode(error);
    return [];
  }
}

/** Takes a socket away that nobody listens at, and that nobody is about to listen at. */
function forget(path: string): void {
  try {
    if (Date.now() - lstatSync(path).mtimeMs > DEAD_MS) unlinkSync(path);
  } catch (error) {
    // Somebody was quicker.
    errorCode(error);
  }
}

function isNobody(reply: Reply): boolean {
  return 'code' in reply && (reply.code === 'ECONNREFUSED' || reply.code === 'ENOENT');
}

function refuseStranger(path: string): number {
  printError(`watchdog: ${path} is another user's, and only that user or root may ask there; try sudo\n`);
  return exitCode('notPermitted');
}

/** Root's watchdog is no secret, only not ours to ask. */
function sayNobody({ environment, given }: Invocation): number {
  const roots = socketsIn(ROOTS_DIRECTORY);
  if (process.geteuid?.() !== 0 && roots[0] !== undefined) return refuseStranger(roots[0]);
  const where = given.control?.value ?? given.config?.value ?? given.name?.value;
  const looked = where === undefined ? `in ${runDirectory(environment)}` : `by the name ${String(where)}`;
  printError(
    `watchdog: no watchdog of this user is at work (${looked}); start one: ` +
      `watchdog start --config FILE, or watchdog --pattern REGEX --recover COMMAND\n`,
  );
  return exitCode('alreadyRunning');
}

/** What a refusal says. */
export function errorOf(body: unknown): string {
  return (body as Refusal).error;
}
