/** Users' names and numbers, as the machine knows them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** A user as the machine knows it. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** The user of this name or number; `null` if there is none. A number that nobody has is a user without a home. */
export function findUser(user: string): User | null {
  const fields = passwdLines().find(([name, , uid]) => name === user || uid === user) ?? askForUser(user);
  if (fields !== null) {
    const [name = user, , uid = '', gid = '', , home = '/', shell = '/bin/sh'] = fields;
    return { name, uid: Number(uid), gid: Number(gid), home, shell };
  }
  const uid = /^\d{1,10}$/.test(user) ? Number(user) : null;
  return uid === null ? null : { name: user, uid, gid: uid, home: '/', shell: '/bin/sh' };
}

/** The number of a group given by name or number; `null` if there is no such group. */
export function gidOf(group: string): number | null {
  if (/^\d{1,10}$/.test(group)) return Number(group);
  const fields = readLines('/etc/group').find(([name]) => name === group) ?? ask(['getent', 'group', group]);
  return fields?.[2] === undefined ? null : Number(fields[2]);
}

/** All groups of a user, its own among them. */
export function groupsOf({ gid, name }: User): readonly number[] {
  const said = NAME.test(name) ? run('id', ['-G', name]) : null;
  if (said !== null && /^[\d ]+$/.test(said)) return said.split(' ').map(Number);
  const listed = readLines('/etc/group').filter((fields) => fields[3]?.split(',').includes(name) === true);
  return [...new Set([gid, ...listed.map((fields) => Number(fields[2]))])];
}

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

/** `/etc/passwd`: name, password, number, group, remarks, home, shell (passwd(5)). */
function passwdLines(): readonly string[][] {
  return readLines('/etc/passwd');
}

function readLines(path: string): readonly string[][] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.map((line) => line.split(':')).filter((fields) => fields.length >= 3);
  } catch (error) {
    errorCode(error);
    return [];
  }
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.@-]*\$?$/;

/** Users that are kept elsewhere, such as in LDAP, are known to getent(1). Asked once, at the start. */
function askForUser(user: string): readonly string[] | null {
  return ask(['getent', 'passwd', user]);
}

/** Or to id(1), where there is no getent. */
function uidByDirectory(user: string): number | null {
  if (!NAME.test(user)) return null;
  const said = run('id', ['-u', user]);
  return said !== null && /^\d+$/.test(said) ? Number(said) : null;
}

function ask([program = '', ...args]: readonly string[]): readonly string[] | null {
  if (!NAME.test(args.at(-1) ?? '')) return null;
  const said = run(program, args);
  return said === null ? null : said.split(':');
}

/** What a program says; `null` if it fails, or isn't there: either way it knows nothing. */
function run(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}
