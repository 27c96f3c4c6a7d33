/**
 * One watchdog per target and user: a name in Linux's abstract namespace for sockets
 * (unix(7)). It is taken in one step, and given back by the kernel however we end;
 * nothing stays behind to go stale, and no child inherits it. The sentinel takes it in
 * the same way.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { errorCode } from './errors.ts';
import { findHolder, readLink, WHY_NOT_OURS } from './lock-holder.ts';

export type InstanceLock =
  | { readonly kind: 'held'; readonly release: () => void }
  /** By this watchdog of this user. */
  | { readonly kind: 'taken'; readonly pid: number }
  /** Nobody can be kept out; why. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** How often to try when the holder vanishes between two steps. */
const TRIES = 3;

/** What a lock is called, for a key that is the same for the same watch. Users and PID namespaces are told apart, since they see and may do different things. */
export function lockName(key: string, uid: number): string {
  const scope = [uid, readLink('/proc/self/ns/pid'), key].join('\0');
  return `watchdog/${createHash('sha256').update(scope).digest('hex').slice(0, 40)}`;
}

/** Takes the lock of this name. */
export async function takeInstanceLock(name: string): Promise<InstanceLock> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const server = await listen(name);
    if (!('code' in server)) return { kind: 'held', release: () => server.close() };
    if (server.code !== 'EADDRINUSE') return { kind: 'unavailable', why: `no lock can be taken (${server.code})` };
    const holder = findHolder(name);
    if (holder !== null) return { kind: 'taken', pid: holder };
  }
  return { kind: 'unavailable', why: WHY_NOT_OURS };
}

function listen(name: string): Promise<Server | { readonly code: string }> {
  return new Promise((resolve) => {
    // Who connects has nothing to ask.
    const server = createServer((client) => client.on('error', () => {}).destroy());
    server.once('error', (error) => resolve({ code: errorCode(error) }));
    server.listen(`\0${name}`, () => resolve(server.unref()));
  });
}
