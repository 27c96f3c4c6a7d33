/** Targets that are to read their own configuration again: begun, and watched until it is known what came of it. */
import type { ReloadRule } from '../config/target-settings.ts';
import type { Result } from '../control/protocol.ts';
import type { Asked } from '../control/server.ts';
import type { Host } from '../host/host.ts';
import type { Fleet } from './fleet.ts';
import type { Member } from './member.ts';
import { beginProof, outcomeOfReload, type ReloadProof } from './reload-proof.ts';

export interface Reloads {
  /** Each by its signal or its command; answered once it is known what came of it. */
  begin(asked: Asked, members: readonly Member[]): Promise<void>;
  /** Answers whoever can be answered by now. */
  work(): Promise<void>;
  isIdle(): boolean;
}

export interface ReloadsOptions {
  readonly fleet: Fleet;
  readonly host: Host;
  /** As the targets stand in the configuration. */
  readonly inOrder: (results: readonly Result[]) => readonly Result[];
}

/** A reload whose proof is awaited, for each target by name. */
interface ReloadWaiter {
  readonly asked: Asked;
  readonly proofs: Map<string, ReloadProof>;
  readonly results: Result[];
}

export const NOBODY = 'is not there: nothing matches';
/** How often it is asked what has become of them. */
const PROOF_LOOK_MS = 100;

export function openReloads({ fleet, host, inOrder }: ReloadsOptions): Reloads {
  let reloads: readonly ReloadWaiter[] = [];
  let timer: NodeJS.Timeout | null = null;

  return {
    begin,
    async work() {
      // Of some nobody is told when they end: what is said of them must be seen.
      if (reloads.some(isDue)) await fleet.lookAtUnwatched();
      const open: ReloadWaiter[] = [];
      for (const reload of reloads) if (!(await isProved(reload))) open.push(reload);
      reloads = open;
      if (reloads.length > 0) askAgain();
    },
    isIdle: () => reloads.length === 0,
  };

  function isDue({ proofs }: ReloadWaiter): boolean {
    return [...proofs.values()].some(({ decideAtMs }) => host.nowMs() >= decideAtMs);
  }

  /** One timer, however often it is asked for: each of its ends asks for the next. */
  function askAgain(): void {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      host.interrupt();
    }, PROOF_LOOK_MS);
  }

  async function begin(asked: Asked, members: readonly Member[]): Promise<void> {
    const waiter: ReloadWaiter = { asked, proofs: new Map(), results: [] };
    for (const member of members) {
      const { reload: rule, rules } = member.plan;
      const proof = beginProof(member, host.nowMs());
      const why = await beginReload(member, rule);
      if (why === null) waiter.proofs.set(rules.name, proof);
      else waiter.results.push({ target: rules.name, ok: false, message: why });
    }
    reloads = [...reloads, waiter];
  }

  /** Why it could not be begun; `null` if it was. */
  async function beginReload(member: Member, rule: ReloadRule): Promise<string | null> {
    if ('command' in rule) {
      if (fleet.isRunning(member, 'reload')) return 'is being reloaded already';
      await fleet.startReload(member, rule.command);
      return null;
    }
    const count = await fleet.signal(member, rule.signal, `reload by SIG${rule.signal}`);
    return count === 0 ? NOBODY : null;
  }

  /** Whether all of it is known. That is told in the log, whoever still listens. */
  async function isProved({ asked, proofs, results }: ReloadWaiter): Promise<boolean> {
    for (const [target, proof] of proofs) {
      const member = fleet.members.find(({ plan }) => plan.rules.name === target);
      const isRunning = member !== undefined && fleet.isRunning(member, 'reload');
      const outcome =
        member === undefined
          ? { ok: false, message: 'was removed' }
          : outcomeOfReload(proof, member, isRunning, host.nowMs());
      if (outcome === null) continue;
      proofs.delete(target);
      results.push({ target, ...outcome });
      if (member !== undefined) await fleet.tell(member, { kind: 'reload-ended', ...outcome });
    }
    if (proofs.size > 0) return false;
    asked.answer(results.every(({ ok }) => ok) ? 200 : 409, { results: inOrder(results) });
    return true;
  }
}
