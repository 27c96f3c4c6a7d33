/**
 * The desk where operators' requests are dealt with, one after the other, between two
 * events: an answer is about one moment. Loaded only when somebody asks.
 */

import { readSignalName } from '../config/signal-name.ts';
import type { Event, OrderAnswer, Result } from '../control/protocol.ts';
import { type Asked, openServer } from '../control/server.ts';
import { selectNames } from '../core/fleet.ts';
import { whyIdle } from '../core/operator.ts';
import type { OperatorOrder } from '../core/types.ts';
import type { Host } from '../host/host.ts';
import { formatIsoTime } from '../system/clock.ts';
import { openUsage } from '../system/usage.ts';
import type { Fleet } from './fleet.ts';
import type { Entry } from './history.ts';
import type { Member } from './member.ts';
import { outcomeOf } from './order-outcome.ts';
import { toStatus } from './status.ts';
import { NOBODY, openReloads } from './target-reloads.ts';

export interface Desk {
  /** Deals with all that was asked, and answers what can be answered by now. */
  work(): Promise<void>;
  /** Whether nobody is there. */
  isIdle(): boolean;
  /** Something was told of a target: followers hear of it. */
  told(member: Member, entry: Entry): void;
  /** Whether an operator wants the watch to end. */
  wantsEnd(): boolean;
  close(): void;
}

export interface DeskOptions {
  readonly fleet: Fleet;
  readonly host: Host;
  /** Reads the configuration again; what came of it. */
  readonly reload: () => Promise<OrderAnswer>;
}

/** An order whose outcome is awaited. */
interface Waiter {
  readonly asked: Asked;
  readonly verb: 'start' | 'stop' | 'restart' | 'recover';
  /** Names: a reload may have put another member in its place. */
  readonly waiting: Set<string>;
  readonly results: Result[];
}

interface Follower {
  readonly asked: Asked;
  readonly names: ReadonlySet<string>;
  readonly tell: (event: Event) => void;
}

/** Opens it at the host's control socket. */
export async function openDesk({ fleet, host, reload }: DeskOptions): Promise<Desk> {
  const usage = openUsage();
  const requests: Asked[] = [];
  let waiters: Waiter[] = [];
  const reloads = openReloads({ fleet, host, inOrder });
  let followers: Follower[] = [];
  let isOver = false;
  const at = host.control;
  const server = at === null ? null : await openServer(at, { onAsked, onIdle: host.interrupt });

  return {
    async work() {
      for (let asked = requests.shift(); asked !== undefined; asked = requests.shift()) await deal(asked);
      waiters = waiters.filter((waiter) => !isSettled(waiter));
      await reloads.work();
      followers = followers.filter(({ asked }) => asked.isOpen());
    },
    isIdle: () => server === null || (server.isIdle() && requests.length === 0 && reloads.isIdle()),
    told(member, entry) {
      const event = toEvent(member, entry);
      for (const { names, tell } of followers) if (names.has(event.target)) tell(event);
    },
    wantsEnd: () => isOver,
    close: () => server?.close(),
  };

  function onAsked(asked: Asked): void {
    requests.push(asked);
    host.interrupt();
  }

  async function deal(asked: Asked): Promise<void> {
    const { request } = asked;
    const isOwn = request.targets.length === 0 && (request.verb === 'reload' || request.verb === 'shutdown');
    if (isOwn) return dealWithOwn(asked);
    const all = fleet.members.map(({ plan: { groups, rules } }) => ({ name: rules.name, groups }));
    const words = request.targets.length === 0 ? ['*'] : request.targets;
    const { names, unknown } = selectNames(words, all);
    const members = fleet.members.filter(({ plan: { rules } }) => names.includes(rules.name));
    if (unknown.length > 0) {
      asked.answer(404, { error: `there is no target or group ${unknown.join(', ')}`, unknown });
      return;
    }
    switch (request.verb) {
      case 'status':
        await fleet.lookAtUnwatched();
        asked.answer(200, { watchdog: describeOwn(), targets: await toStatus(members, usage, host.nowMs()) });
        return;
      case 'why':
        asked.answer(200, { events: eventsOf(members) });
        return;
      case 'events':
        if (request.follow) follow(asked, members);
        else asked.answer(200, { events: eventsOf(members) });
        return;
      case 'look':
        await fleet.lookAtAll();
        asked.answer(200, answerAll(members, 'was looked at'));
        return;
      case 'pause':
        for (const member of members)
          await fleet.ask(member, { verb: 'pause', forMs: request.forMs, reason: request.reason });
        asked.answer(200, answerAll(members, 'is paused'));
        return;
      case 'resume':
        asked.answer(200, { results: await resumeAll(members) });
        return;
      case 'signal':
        await signalAll(asked, members);
        return;
      case 'reload':
        await reloads.begin(asked, members);
        return;
      case 'start':
      case 'stop':
      case 'restart':
      case 'recover':
        await beginOrder(asked, request.verb, members);
        return;
      case 'shutdown':
        asked.answer(400, { error: 'shutdown ends the watchdog, and takes no targets' });
        return;
    }
  }

  async function dealWithOwn(asked: Asked): Promise<void> {
    if (asked.request.verb === 'reload') {
      const answer = await reload();
      asked.answer(answer.results.every(({ ok }) => ok) ? 200 : 409, answer);
      return;
    }
    asked.answer(200, { results: [], pid: host.pid });
    isOver = true;
  }

  function describeOwn() {
    const { beginning, config, log, name, startedBy } = fleet.plan;
    const { user, version } = beginning;
    return { pid: host.pid, name, version, user, config, log: log.path, ...startedBy };
  }

  function answerAll(members: readonly Member[], message: string): OrderAnswer {
    return { results: members.map(({ plan: { rules } }) => ({ target: rules.name, ok: true, message })) };
  }

  function eventsOf(members: readonly Member[]): readonly Event[] {
    const events = members.flatMap((member) => member.history.map((entry) => ({ member, entry })));
    events.sort((one, other) => one.entry.atMs - other.entry.atMs);
    return events.map(({ entry, member }) => toEvent(member, entry));
  }

  function follow(asked: Asked, members: readonly Member[]): void {
    const { tell } = asked.follow();
    for (const event of eventsOf(members)) tell(event);
    followers.push({ asked, tell, names: new Set(members.map(({ plan: { rules } }) => rules.name)) });
  }

  async function resumeAll(members: readonly Member[]): Promise<readonly Result[]> {
    const results: Result[] = [];
    for (const member of members) {
      const target = member.plan.rules.name;
      const why = whyIdle(member.state, { verb: 'resume' });
      if (why === null) await fleet.ask(member, { verb: 'resume' });
      results.push({ target, ok: true, message: why ?? 'is watched again' });
    }
    return results;
  }

  async function signalAll(asked: Asked, members: readonly Member[]): Promise<void> {
    const signal = asked.request.signal === null ? null : readSignalName(asked.request.signal);
    if (signal === null) {
      asked.answer(400, { error: `"${asked.request.signal ?? ''}" is no signal; write HUP, USR1, TERM or another` });
      return;
    }
    const results: Result[] = [];
    for (const member of members) {
      const count = await fleet.signal(member, signal, `SIG${signal}`);
      results.push({ target: member.plan.rules.name, ...describeReach(count, signal) });
    }
    asked.answer(200, { results });
  }

  /** Asks each, and answers once all have come to where they were sent. */
  async function beginOrder(asked: Asked, verb: Waiter['verb'], members: readonly Member[]): Promise<void> {
    const waiter: Waiter = { asked, verb, waiting: new Set(), results: [] };
    for (const member of members) {
      const order: OperatorOrder = { verb };
      const why = whyIdle(member.state, order);
      if (why !== null) {
        waiter.results.push({
          target: member.plan.rules.name,
          ok: !isHeld(member) || verb !== 'recover',
          message: why,
        });
        continue;
      }
      waiter.waiting.add(member.plan.rules.name);
      await fleet.ask(member, order);
    }
    waiters.push(waiter);
  }

  function find(name: string): Member | undefined {
    return fleet.members.find(({ plan: { rules } }) => rules.name === name);
  }

  /** Whether it is answered, or nobody waits for it any more. */
  function isSettled({ asked, results, verb, waiting }: Waiter): boolean {
    for (const target of waiting) {
      const member = find(target);
      const outcome = member === undefined ? { ok: false, message: 'was removed' } : outcomeOf(verb, member, find);
      if (outcome === null) continue;
      waiting.delete(target);
      results.push({ target, ...outcome });
    }
    if (!asked.isOpen()) return true;
    if (waiting.size > 0) return false;
    asked.answer(results.every(({ ok }) => ok) ? 200 : 409, { results: inOrder(results) });
    return true;
  }

  /** As the targets stand in the configuration. */
  function inOrder(results: readonly Result[]): readonly Result[] {
    const names = fleet.members.map(({ plan: { rules } }) => rules.name);
    return results.toSorted((one, other) => names.indexOf(one.target) - names.indexOf(other.target));
  }
}

function isHeld({ state: { phase } }: Member): boolean {
  return phase.kind === 'paused' || phase.kind === 'stopped';
}

function toEvent({ plan: { rules } }: Member, { atMs, event, message }: Entry): Event {
  return { time: formatIsoTime(new Date(atMs)), target: rules.name, event, message };
}

function describeReach(count: number, signal: string): { readonly ok: boolean; readonly message: string } {
  if (count === 0) return { ok: false, message: NOBODY };
  return { ok: true, message: `was sent SIG${signal}, ${count === 1 ? '1 process' : `${count} processes`}` };
}
