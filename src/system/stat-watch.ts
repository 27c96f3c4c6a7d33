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

/** Begins to watch a process. If it is gone already, or the number is another's by now, the first reading says so. */
export function openStatWatch(identity: Identity): StatWatch {
  const buffer = Buffer.allocUnsafe(STAT_BYTES);
  let descriptor: number | null = null;
  let isLost = false;
  try {
    descriptor = openSync(`/proc/${identity.pid}/stat`, 'r');
  } catch (error) {
    const code = errorCode(error);
    // Anything else, such as too many open files, is no death: the next reading tries again.
    isLost = code === 'ENOENT' || code === 'ESRCH';
  }

  return {
    identity,
    read() {
      if (isLost) return UNKNOWN;
      const reading = readText();
      if ('code' in reading) {
        if (reading.code !== 'ESRCH' && reading.code !== 'ENOENT') return null;
        return UNKNOWN;
      }
      const stat = parseStat(reading.text);
      if (stat === null) return null;
      if (stat.startTime !== identity.startTime) return UNKNOWN;
      if (!hasEnded(stat) || stat.threads > 1) return null;
      return deathOfZombie(stat, stat.exitCode !== 0 || process.geteuid?.() === 0);
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
      isLost = true;
    },
  };

  function readText(): { readonly text: string } | { readonly code: string } {
    try {
      descriptor ??= openSync(`/proc/${identity.pid}/stat`, 'r');
      return { text: buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, STAT_BYTES, 0)) };
    } catch (error) {
      return { code: errorCode(error) };
    }
  }
}
