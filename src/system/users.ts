/** Users' names and numbers, as the machine knows them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** The number of a user given by name or number; `null` if there is no such user. */
export function uidOf(user: string): number | null {
  if (/^\d{1,10}$/.test(user)) return Number(user);
  const line = passwdLines().find((fields) => fields[0] === user);
  return line === undefined ? uidByDirectory(user) : Number(line[2]);
}

/** The name of a user; its number where it has none. */
export function userName(uid: number): string {
  return passwdLines().find((fields) => Number(fields[2]) === uid)?.[0] ?? String(uid);
}

/** `/etc/passwd`: name, password, number, and more (passwd(5)). */
function passwdLines(): readonly string[][] {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    return lines.map((line) => line.split(':')).filter((fields) => fields.length >= 3);
  } catch (error) {
    errorCode(error);
    return [];
  }
}

/** Users that are kept elsewhere, such as in LDAP, are known to id(1). Asked once, at the start. */
function uidByDirectory(user: string): number | null {
  if (!/^[A-Za-z_][A-Za-z0-9_.@-]*\$?$/.test(user)) return null;
  try {
    const uid = execFileSync('id', ['-u', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return /^\d+$/.test(uid) ? Number(uid) : null;
  } catch (error) {
    // No such user, or no id(1): either way nobody knows the name.
    if (error instanceof Error) return null;
    throw error;
  }
}
