/** Who holds the lock of a watch, as seen from outside. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Why a name that is taken, and by nobody that we can find, keeps nobody from watching. */
export const WHY_NOT_OURS = 'the name of the lock is taken by a program that is no watchdog of this user';

/**
 * Who holds a lock. Any local user can take a name in the abstract namespace; but whose
 * the socket is can be seen by the descriptors of the processes, which only their own
 * user and root may read. `null` if it is nobody's that we may see.
 */
export function findHolder(name: string, uid = process.geteuid?.() ?? 0): number | null {
  const sockets = socketsNamed(name);
  if (sockets.length === 0) return null;
  const pids = readDirectory('/proc').filter((entry) => /^\d+$/.test(entry));
  const holder = pids.find((pid) =>
    readDirectory(`/proc/${pid}/fd`).some((fd) => sockets.includes(readLink(`/proc/${pid}/fd/${fd}`))),
  );
  if (holder === undefined || !isOfUser(holder, uid)) return null;
  return Number(holder);
}

/**
 * The sockets of this name as `/proc/PID/fd` shows them: the one that took it, and its
 * end of every connection. `/proc/net/unix` has number, references, protocol, flags,
 * type, state, inode, path; `@` stands for the NUL.
 */
function socketsNamed(name: string): readonly string[] {
  try {
    const lines = readFileSync('/proc/net/unix', 'latin1').split('\n');
    return lines.filter((line) => line.endsWith(` @${name}`)).map((line) => `socket:[${line.trim().split(/\s+/)[6]}]`);
  } catch (error) {
    errorCode(error);
    return [];
  }
}

/** The effective user; root sees the descriptors of others, too. */
function isOfUser(pid: string, wanted: number): boolean {
  try {
    const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return Number(uid) === wanted;
  } catch (error) {
    errorCode(error);
    return false;
  }
}

function readDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    errorCode(error);
    return [];
  }
}

/** Where a link leads; empty if it is none, or may not be read. */
export function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    errorCode(error);
    return '';
  }
}
