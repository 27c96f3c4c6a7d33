import { closeSync, openSync, readSync } from 'node:fs';
import type { Death, Identity } from '../core/types.ts';
import { errorCode } from './errors.ts';
import { deathOfZombie, hasEnded, parseStat } from './proc-stat.ts';

/** One process, held by its open `/proc/PID/stat`. */
export interface StatWatch {
  readonly identity: Identity;
  /** `null` while it lives, else how it died. */
  read(): Death | null;
  close(): void;
}

const UNKNOWN: Death = { kind: 'unknown' };
/** More than the longest `stat` line. */
const STAT_BYTES = 1_024;
const CLOSING_PARENTHESIS = 0x29;
const LETTERS_OF_THE_DEAD: ReadonlySet<number> = new Set([...'ZXx'].map((letter) => letter.charCodeAt(0)));

/**
 * Begins to watch a process. If it is gone already, or the number is another's by now,
 * the first reading says so. The open file stays that of the process which had the
 * number when it was opened: once that has ended, reading fails with ESRCH for ever.
 */
export function openStatWatch(identity: Identity): StatWatch {
  const buffer = Buffer.allocUnsafe(STAT_BYTES);
  let descriptor: number | null = null;
  let isVerified = false;

  return {
    identity,
    read() {
      try {
        descriptor ??= openSync(`/proc/${identity.pid}/stat`, 'r');
        return judge(readSync(descriptor, buffer, 0, STAT_BYTES, 0));
      } catch (error) {
        const code = errorCode(error);
        // Anything else, such as too many open files, is no death: the next reading tries again.
        return code === 'ENOENT' || code === 'ESRCH' ? UNKNOWN : null;
      }
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };

  /** Ten times a second for as long as all is well, one letter is all that is looked at. */
  function judge(length: number): Death | null {
    const letter = buffer[buffer.lastIndexOf(CLOSING_PARENTHESIS, length - 1) + 2] as number;
    if (isVerified && !LETTERS_OF_THE_DEAD.has(letter)) return null;
    const stat = parseStat(buffer.toString('latin1', 0, length));
    if (stat === null) return null;
    if (stat.startTime !== identity.startTime) return UNKNOWN;
    isVerified = true;
    if (!hasEnded(stat) || stat.threads > 1) return null;
    return deathOfZombie(stat, stat.exitCode !== 0 || process.geteuid?.() === 0);
  }
}

/** How a process ended that is no more than a zombie; unknown if it is gone altogether, or we may not know. */
export function readDeath(identity: Identity): Death {
  const watch = openStatWatch(identity);
  const how = watch.read();
  watch.close();
  return how ?? UNKNOWN;
}
