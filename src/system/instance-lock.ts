/**
 * One watchdog per target and user: a listening socket in Linux's abstract namespace
 * (unix(7)). Its name is taken in one step, and given back by the kernel however we
 * end; nothing stays behind to go stale, and no child inherits it.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { errorCode } from './errors.ts';

export type InstanceLock =
  | { readonly kind: 'held'; readonly release: () => void }
  /** By a watchdog of this user; `pid` is `null` if it didn't answer. */
  | { readonly kind: 'taken'; readonly pid: number | null }
  /** Nobody can be kept out; why. */
  | { readonly kind: 'unavailable'; readonly why: string };

/** The holder has so long to say its number. */
const ANSWER_MS = 1_000;
/** How often to try when the holder vanishes between two steps. */
const TRIES = 5;

/** Takes the lock for what is watched, as told by `key`: any text that is the same for the same watch. */
export async function takeInstanceLock(key: string): Promise<InstanceLock> {
  const address = lockAddress(key);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const server = await listen(address);
    if (!('code' in server)) return { kind: 'held', release: () => server.close() };
    if (server.code !== 'EADDRINUSE') return { kind: 'unavailable', why: `no lock can be taken (${server.code})` };
    const holder = await askHolder(address);
    if (holder === 'gone') continue;
    if (holder !== null && !isHolder(holder, address)) {
      return {
        kind: 'unavailable',
        why: 'the name of the lock is taken by a program that is no watchdog of this user',
      };
    }
    return { kind: 'taken', pid: holder };
  }
  return { kind: 'taken', pid: null };
}

/** Users and PID namespaces are told apart, since they see and may do different things. */
export function lockAddress(key: string): string {
  const scope = [process.geteuid?.() ?? 0, readLink('/proc/self/ns/pid'), key].join('\0');
  return `\0watchdog/${createHash('sha256').update(scope).digest('hex').slice(0, 40)}`;
}

function listen(address: string): Promise<Server | { readonly code: string }> {
  return new Promise((resolve) => {
    const server = createServer((client) => {
      client.on('error', () => client.destroy());
      client.setTimeout(ANSWER_MS, () => client.destroy());
      client.end(`${process.pid}\n`);
    });
    server.maxConnections = 16;
    server.once('error', (error) => resolve({ code: errorCode(error) }));
    server.listen(address, () => resolve(server.unref()));
  });
}

/** The number that the holder says it has; `null` if it says nothing in time. */
function askHolder(address: string): Promise<number | 'gone' | null> {
  return new Promise((resolve) => {
    let answer = '';
    const client = connect(address);
    client.setTimeout(ANSWER_MS, () => client.destroy());
    client.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.length > 32) client.destroy();
    });
    client.on('error', (error) => resolve(errorCode(error) === 'ECONNREFUSED' ? 'gone' : null));
    client.on('close', () => resolve(/^\d+\n$/.test(answer) ? Number(answer) : null));
  });
}

/**
 * Any local user can take a name in the abstract namespace. Whether the one who
 * answered really holds the socket is seen by its descriptors, which only its own
 * user and root may read. Where that can't be told, the answer is believed.
 */
function isHolder(pid: number, address: string): boolean {
  const sockets = socketsNamed(address);
  if (sockets.length === 0) return true;
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.includes(readLink(`/proc/${pid}/fd/${fd}`)));
  } catch (error) {
    const code = errorCode(error);
    return code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOENT';
  }
}

/**
 * The sockets of this name, as `/proc/PID/fd` shows them: the one that listens, and
 * its end of every connection. `/proc/net/unix` has number, references, protocol,
 * flags, type, state, inode, path; `@` stands for the NUL.
 */
function socketsNamed(address: string): readonly string[] {
  try {
    const name = address.replace('\0', '@');
    const lines = readFileSync('/proc/net/unix', 'latin1').split('\n');
    return lines.filter((line) => line.endsWith(` ${name}`)).map((line) => `socket:[${line.trim().split(/\s+/)[6]}]`);
  } catch (error) {
    errorCode(error);
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    errorCode(error);
    return '';
  }
}
