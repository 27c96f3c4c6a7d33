/** Why somebody died, beyond what the host could tell. */
import type { Death, Identity } from '../core/types.ts';
import { hasOomKilled, markOom, type OomMark } from '../system/oom.ts';
import { readDeath } from '../system/stat-watch.ts';

/** A mark for each that is followed; the ones there are stay. */
export function marksFor(identities: readonly Identity[], marks: readonly OomMark[]): readonly OomMark[] {
  if (identities.length === marks.length && identities.every((one, at) => marks[at]?.pid === one.pid)) return marks;
  return identities.flatMap((one) => {
    const known = marks.find((mark) => mark.pid === one.pid && mark.startTime === one.startTime);
    const mark = known ?? markOom(one);
    return mark === null ? [] : [mark];
  });
}

/**
 * How it ended, as well as can be told here: whoever has not yet been taken notice of by
 * its parent still has its status in `/proc`, and who was killed may have been for lack of memory.
 */
export function withCause(identity: Identity, told: Death, marks: readonly OomMark[]): Death {
  const how = told.kind === 'unknown' ? readDeath(identity) : told;
  if (how.kind !== 'killed' || how.signal !== 'KILL') return how;
  const { pid, startTime } = identity;
  const mark = marks.find((one) => one.pid === pid && one.startTime === startTime);
  return mark !== undefined && hasOomKilled(mark) ? { ...how, outOfMemory: true } : how;
}
