/**
 * The host that lets the brain sleep: the sentinel, at the other end of a socket that
 * we inherited. It waits, keeps the memory, starts and signals. All of it is done at once
 * and in order: while the brain waits there is nothing else for it to do.
 */
import { readSync, writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { uptime } from 'node:os';
import { monotonicMs } from '../system/clock.ts';
import { isSocket } from '../system/descriptors.ts';
import { errorCode } from '../system/errors.ts';
import { type Host, type HostEvent, type Order, takeNext } from './host.ts';
import { ASK, type Frame, formatFrame, parseHello, parseTold, type Told } from './sentinel-protocol.ts';
import { type Standing, toEvent, toFrame } from './sentinel-words.ts';

/** The descriptor that every brain finds the sentinel at. */
export const SENTINEL_SOCKET = 3;
/** And the control socket, where there is one. */
const CONTROL_SOCKET = 4;

const DESCRIPTION = 'the sentinel waits, and is told of a death at once';
const FIRST_READ_BYTES = 64 * 1_024;
const NEWLINE = 0x0a;

/** The sentinel's first words: what the brain before has left, and itself as host for the one that can read it. */
export interface Hello {
  readonly kept: string;
  serve(standing: () => Standing): Host;
}

/** Hears the sentinel's first words. */
export function hearSentinel(): Hello {
  let buffer = Buffer.allocUnsafe(FIRST_READ_BYTES);
  let have = 0;
  const events: (HostEvent & { readonly seq: number })[] = [];
  let acknowledged = 0;
  // The sentinel's clock is CLOCK_BOOTTIME; Node tells it to a hundredth of a second.
  let clockOffsetMs = uptime() * 1_000 - monotonicMs();
  let isDue = false;
  let goes = 0;
  let isGone = false;
  let stream: Socket | null = null;
  let onData: (() => void) | null = null;

  const hello = parseHello(takeLine());
  if (hello === null) throw new Error('the sentinel speaks another protocol');
  hearClock(hello.nowMs);
  while (have < hello.length + 1) read();
  const kept = buffer.toString('utf8', 0, hello.length);
  drop(hello.length + 1);
  for (let told = hear(); told !== 'go'; ) told = hear();

  return {
    kept,
    serve: (standing) => ({
      description: DESCRIPTION,
      pid: process.ppid,
      tellsDeaths: true,
      mayRest: true,
      reaper: process.ppid,
      nowMs,
      commit: (order) => send(standing(), order, 'stay'),
      end: (order, how) => send(standing(), order, how === 'rest' ? how : { status: how }),
      hasPending,
      catchUp,
      wait,
      control: isSocket(CONTROL_SOCKET) ? { fd: CONTROL_SOCKET } : null,
      stayResponsive,
      interrupt: () => onData?.(),
      close() {
        // The socket goes with us.
      },
    }),
  };

  function nowMs(): number {
    return monotonicMs() + clockOffsetMs;
  }

  /** What is said is some time old when it is heard, never younger: the latest moment is the best. */
  function hearClock(sentinelNowMs: number): void {
    clockOffsetMs = Math.max(clockOffsetMs, sentinelNowMs - monotonicMs());
  }

  async function wait(): Promise<HostEvent | null> {
    try {
      if (stream !== null) await waitResponsively();
      else while (hasLine() || (events.length === 0 && !isDue)) hear();
    } catch (error) {
      if (!isGone) throw error;
      return { kind: 'host-gone' };
    }
    isDue = false;
    const event = takeNext(events) as (HostEvent & { readonly seq: number }) | null;
    if (event !== null) acknowledged = Math.max(acknowledged, event.seq);
    return event;
  }

  function hasPending(): boolean {
    if (stream !== null) while (hasLine()) hear();
    return events.length > 0;
  }

  async function catchUp(): Promise<readonly HostEvent[]> {
    const before = goes;
    write(ASK);
    try {
      while (goes === before && !isGone) {
        if (stream === null || hasLine()) hear();
        else await new Promise<void>((resolve) => (onData = resolve));
      }
    } catch (error) {
      // The next wait tells.
      if (!isGone) throw error;
    }
    return events;
  }

  /** From here on the socket is read as data comes, and no longer by waiting for it. */
  function stayResponsive(): void {
    if (stream !== null) return;
    // Not imported above: most wakes serve nobody.
    const net = process.getBuiltinModule('node:net');
    stream = new net.Socket({ fd: SENTINEL_SOCKET, readable: true, writable: false });
    const over = (): void => {
      isGone = true;
      onData?.();
    };
    stream.on('data', (data) => {
      take(data);
      onData?.();
    });
    stream.on('end', over).on('error', over);
  }

  async function waitResponsively(): Promise<void> {
    await new Promise<void>((resolve) => {
      // What came before is told at once; what is asked meanwhile has its turn first.
      if (hasPending() || isDue || isGone) setImmediate(resolve);
      else onData = resolve;
    });
    onData = null;
    while (hasLine()) hear();
    if (isGone && events.length === 0) throw new Error('the sentinel is gone');
  }

  /** Takes the next line, and waits for it; of what kind it was. */
  function hear(): Told['kind'] {
    const line = takeLine();
    const told = parseTold(line);
    if (told === null) throw new Error(`the sentinel said "${line}"`);
    hearClock(told.nowMs);
    const event = toEvent(told);
    if (event !== null) events.push({ ...event, seq: told.seq });
    else if (told.kind === 'go') goes += 1;
    else isDue ||= told.kind === 'due';
    return told.kind;
  }

  function hasLine(): boolean {
    return buffer.subarray(0, have).includes(NEWLINE);
  }

  /** The next line, without its end; waits for it. */
  function takeLine(): string {
    let end = buffer.subarray(0, have).indexOf(NEWLINE);
    while (end < 0) {
      read();
      end = buffer.subarray(0, have).indexOf(NEWLINE);
    }
    const line = buffer.toString('latin1', 0, end);
    drop(end + 1);
    return line;
  }

  function take(data: Buffer): void {
    while (have + data.length > buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    data.copy(buffer, have);
    have += data.length;
  }

  function read(): void {
    if (have === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    const length = readSync(SENTINEL_SOCKET, buffer, have, buffer.length - have, null);
    isGone = length === 0;
    if (isGone) throw new Error('the sentinel is gone');
    have += length;
  }

  function drop(length: number): void {
    buffer.copyWithin(0, length, have);
    have -= length;
  }

  function send(standing: Standing, order: Order, end: Frame['end']): void {
    write(formatFrame({ ...standing, ...toFrame(order), end }, acknowledged));
  }

  function write(frame: Buffer): void {
    // There is nobody any more to say it to.
    if (isGone) return;
    try {
      for (let at = 0; at < frame.length; ) at += writeSome(frame, at);
    } catch (error) {
      // Killed: the next wait tells, after all that it has still said.
      if (errorCode(error) !== 'EPIPE') throw error;
    }
  }

  /** A socket that is read as data comes does not wait when it is full: then we do, for the moment that the sentinel takes. */
  function writeSome(frame: Buffer, at: number): number {
    try {
      return writeSync(SENTINEL_SOCKET, frame, at);
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return 0;
    }
  }
}
