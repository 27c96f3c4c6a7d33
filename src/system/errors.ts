/** The `code` of a failed system call, such as `ENOENT`; anything else is thrown on: it is a defect of ours. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  ELOOP: 'is a symbolic link, or has too many of them',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'read-only file system',
  EIO: 'input/output error',
  EFBIG: 'file too large',
  EPIPE: 'nobody reads it any more',
  EAGAIN: 'not now: out of some resource',
  ENOMEM: 'out of memory',
  E2BIG: 'argument list too long',
  ENXIO: 'no such device, or nobody reads it',
  ENAMETOOLONG: 'name too long',
  ETXTBSY: 'is being written to',
  ENOEXEC: 'is no program',
  ETIMEDOUT: 'no answer in time',
  EPROTO: 'an answer that nobody understands',
};

/** What an error code says to a person: `permission denied (EACCES)`. */
export function describeCode(code: string): string {
  const text = TEXTS[code];
  return text === undefined ? code : `${text} (${code})`;
}
