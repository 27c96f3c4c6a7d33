import { readSignalName } from '../../config/signal-name.ts';
import type { ControlRequest, OrderAnswer } from '../../control/protocol.ts';
import { escapeText } from '../../core/escape.ts';
import type { Verb } from '../../core/verbs.ts';
import { exitCode } from '../exit-codes.ts';
import { print, printError } from '../output.ts';
import { refuse } from '../refuse.ts';
import { checkSpan, toRequest } from '../request.ts';
import type { Invocation } from '../run.ts';
import { type Asking, askOne, errorOf, order } from '../watchdogs.ts';

/** Has something done with targets, and tells what came of it for each. */
export async function orderTargets(verb: Verb, invocation: Invocation): Promise<number> {
  const problems = [...invocation.problems, ...checkSpan(invocation)];
  if (problems.length > 0) return refuse(problems);
  return tell(await order(invocation, toRequest(verb, invocation)), invocation);
}

/** The last word is the signal. */
export async function signalTargets(invocation: Invocation): Promise<number> {
  const words = invocation.words.slice(0, -1);
  const name = invocation.words.at(-1) ?? '';
  const signal = readSignalName(name);
  const problems = [...invocation.problems];
  if (words.length === 0) problems.push({ where: 'signal', what: 'needs a target and a signal, such as: web USR1' });
  else if (signal === null) {
    problems.push({
      where: 'signal',
      what: `"${name}" is no signal; write HUP, USR1, TERM or another as the last word`,
    });
  }
  if (problems.length > 0) return refuse(problems);
  const request: ControlRequest = { ...toRequest('signal', { ...invocation, words }), signal };
  return tell(await order(invocation, request), invocation);
}

/** Has something done by the watchdog itself. */
export async function orderWatchdog(verb: 'reload', invocation: Invocation): Promise<number> {
  if (invocation.problems.length > 0) return refuse(invocation.problems);
  return tell(await askOne(invocation, toRequest(verb, invocation)), invocation);
}

function tell(asked: Asking, { given }: Invocation): number {
  if ('code' in asked) return asked.code;
  const refused = asked.answers.find(({ status }) => status !== 200 && status !== 409);
  if (refused !== undefined) {
    printError(`watchdog: ${errorOf(refused.body)}\n`);
    return exitCode('usage');
  }
  const answers = asked.answers.map(({ body }) => body as OrderAnswer);
  const results = answers.flatMap((answer) => answer.results);
  if (given.json?.value === true) print(`${JSON.stringify(answers, null, 2)}\n`);
  else for (const answer of answers) print(describe(answer));
  return exitCode(results.every(({ ok }) => ok) ? 'ok' : 'down');
}

function describe({ changes, results, warnings }: OrderAnswer): string {
  const lines = results.map(({ message, target }) => (target === '' ? message : `${target}: ${message}`));
  for (const [what, names] of Object.entries(changes ?? {})) {
    if (names.length > 0) lines.push(`${what}: ${names.join(', ')}`);
  }
  for (const text of warnings ?? []) lines.push(`warning: ${text}`);
  return lines.map((line) => `${escapeText(line)}\n`).join('');
}
