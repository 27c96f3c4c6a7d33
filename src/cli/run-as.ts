/** `--run-as`: another user from here on, before anything is opened, made or looked at in its name. */
import { constants } from 'node:fs';
import type { Given, Problem } from '../config/given.ts';
import { isAllowed } from '../system/paths.ts';
import { becomeUser } from '../system/privileges.ts';
import { makeRunDirectoryFor } from '../system/run-directory.ts';
import { findUser, gidOf, type User } from '../system/users.ts';

/** Variables that name places of the user that we were. */
const PLACES = ['XDG_RUNTIME_DIR', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'MAIL'];

/** What came of it: `refused` by what was written, or `failed` by the machine; then nothing may go on. */
export type RunAsOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'failed'; readonly why: string };

/** Becomes the user that is asked for, if one is. `config`: the file that must be readable afterwards, too. */
export function applyRunAs(given: Given, config: string | null): RunAsOutcome {
  const asked = given['run-as'];
  if (asked === undefined || typeof asked.value !== 'string') return { kind: 'done' };
  const read = readUser(asked.value);
  if ('what' in read) return { kind: 'refused', problem: { where: asked.from, what: read.what } };
  const { gid, user } = read;
  if (process.geteuid?.() === user.uid && process.getegid?.() === gid) return { kind: 'done' };
  if (process.geteuid?.() !== 0) return { kind: 'failed', why: `only root can become user ${user.name}` };
  // Without it there is no control socket, which the log will say.
  if (user.uid !== 0) makeRunDirectoryFor(user.uid, gid);
  const why = becomeUser(user, gid);
  if (why !== null) return { kind: 'failed', why };
  for (const name of PLACES) delete process.env[name];
  Object.assign(process.env, { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell });
  if (config === null || isAllowed(config, constants.R_OK)) return { kind: 'done' };
  const what = `user ${user.name} may not read ${config}, and could not reload it; let that user read it`;
  return { kind: 'refused', problem: { where: asked.from, what } };
}

/** `USER[:GROUP]`, each a name or a number. */
function readUser(text: string): { readonly user: User; readonly gid: number } | { readonly what: string } {
  const [name = '', group, ...more] = text.split(':');
  if (name === '' || group === '' || more.length > 0) return { what: `"${text}" is not USER or USER:GROUP` };
  const user = findUser(name);
  if (user === null) return { what: `there is no user "${name}" here; nothing runs as root instead` };
  const gid = group === undefined ? user.gid : gidOf(group);
  return gid === null ? { what: `there is no group "${group}" here` } : { user, gid };
}
