import { follow } from '../../control/client.ts';
import type { Event, EventsAnswer } from '../../control/protocol.ts';
import { escapeJson, escapeText } from '../../core/escape.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import { toRequest } from '../request.ts';
import type { Invocation } from '../run.ts';
import { askAll, findSockets, order } from '../watchdogs.ts';

/** Tells what happened to targets; with `--follow`, what goes on happening. */
export async function events(invocation: Invocation): Promise<number> {
  return tell(invocation, 'events');
}

/** Tells the last decisions about targets. */
export async function why(invocation: Invocation): Promise<number> {
  return tell(invocation, 'why');
}

async function tell(invocation: Invocation, verb: 'events' | 'why'): Promise<number> {
  if (invocation.problems.length > 0) return refuse(invocation.problems);
  const isJson = invocation.given.json?.value === true;
  const request = toRequest(verb, invocation);
  const asked = await (request.targets.length === 0 ? askAll : order)(invocation, { ...request, follow: false });
  if ('code' in asked) return asked.code;
  if (request.follow) return followAll(invocation, request.targets, isJson);
  const all = asked.answers.flatMap(({ body }) => (body as EventsAnswer).events);
  for (const event of all.sort((one, other) => Date.parse(one.time) - Date.parse(other.time))) {
    print(format(event, isJson));
  }
  return exitCode('ok');
}

/** Until the watchdogs end, or we are interrupted. */
async function followAll(invocation: Invocation, targets: readonly string[], isJson: boolean): Promise<number> {
  const found = findSockets(invocation);
  if ('code' in found) return found.code;
  const request = { ...toRequest('events', invocation), targets };
  await Promise.all(
    found.paths.map((path) => follow(path, request, (line) => print(format(JSON.parse(line) as Event, isJson)))),
  );
  return exitCode('ok');
}

function format(event: Event, isJson: boolean): string {
  if (isJson) return `${escapeJson(JSON.stringify(event))}\n`;
  return `${event.time.slice(0, 19).replace('T', '_')} ${escapeText(event.target)} ${escapeText(event.message)}\n`;
}
