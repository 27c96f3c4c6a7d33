/**
 * Lines that wait to be written, bounded. When there are too many, the oldest go, and
 * how many and how much that was is remembered until it can be told.
 */
export interface LineQueue {
  push(line: Buffer): void;
  /** The line that is to be written next. */
  first(): Buffer | undefined;
  /** The first line has been written. */
  shift(): void;
  readonly length: number;
  /** Takes all that wait. */
  drain(): readonly Buffer[];
  /** What was lost and not yet told. */
  takeLost(): Lost;
  /** It could not be told after all. */
  addLost(lost: Lost): void;
}

export interface Lost {
  readonly lines: number;
  readonly bytes: number;
}

export const MAX_QUEUED_LINES = 1_000;
export const MAX_QUEUED_BYTES = 256 * 1_024;

export function createLineQueue(): LineQueue {
  let lines: Buffer[] = [];
  let bytes = 0;
  let lost: Lost = { lines: 0, bytes: 0 };

  return {
    push(line) {
      lines.push(line);
      bytes += line.length;
      while (lines.length > MAX_QUEUED_LINES || bytes > MAX_QUEUED_BYTES) {
        const oldest = lines[0] as Buffer;
        drop();
        addLost({ lines: 1, bytes: oldest.length });
      }
    },
    first: () => lines[0],
    shift: drop,
    get length() {
      return lines.length;
    },
    drain() {
      const drained = lines;
      lines = [];
      bytes = 0;
      return drained;
    },
    takeLost() {
      const taken = lost;
      lost = { lines: 0, bytes: 0 };
      return taken;
    },
    addLost,
  };

  function addLost(more: Lost): void {
    lost = { lines: lost.lines + more.lines, bytes: lost.bytes + more.bytes };
  }

  function drop(): void {
    bytes -= lines[0]?.length ?? 0;
    lines = lines.slice(1);
  }
}
