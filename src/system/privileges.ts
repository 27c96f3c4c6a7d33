/** Root's rights, given up for good. */
import { errorCode } from './errors.ts';
import { groupsOf, type User } from './users.ts';

/**
 * Becomes this user, in this group and with all supplementary groups of the user: first the
 * groups, then the group, then the user, since each needs the rights that the next gives
 * up. Then it is tried to come back, which must fail. `null` if it is done, else why not;
 * then nothing may go on.
 */
export function becomeUser(user: User, gid: number): string | null {
  // Work that libuv leaves to the kernel would go on with the rights that we had (CVE-2024-22017).
  if ((process.env.UV_USE_IO_URING ?? '0') !== '0') {
    return `cannot become user ${user.name} while UV_USE_IO_URING is set; unset it`;
  }
  try {
    const groups = [...new Set([gid, ...groupsOf(user)])];
    process.setgroups?.(groups);
    process.setgid?.(gid);
    process.setuid?.(user.uid);
    return whyNot(user, gid, groups);
  } catch (error) {
    return `cannot become user ${user.name}: ${reason(error)}`;
  }
}

/** Whether all of it is so, and can't be undone. */
function whyNot(user: User, gid: number, groups: readonly number[]): string | null {
  const isUser = process.getuid?.() === user.uid && process.geteuid?.() === user.uid;
  const isGroup = process.getgid?.() === gid && process.getegid?.() === gid;
  const left = process.getgroups?.().filter((one) => !groups.includes(one)) ?? [];
  if (!isUser || !isGroup || left.length > 0) return `did not become user ${user.name} wholly`;
  if (user.uid === 0) return null;
  try {
    process.setuid?.(0);
  } catch (error) {
    return errorCode(error) === 'EPERM' ? null : `cannot tell whether root is left behind: ${reason(error)}`;
  }
  return 'could become root again';
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
