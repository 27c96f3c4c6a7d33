/** The sentinel by itself, with the test in the place of the brain. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Beginning, type Frame, formatFrame, formatHandover } from '../../src/host/sentinel-protocol.ts';
import { NO_RESTRAINT } from '../../src/system/child.ts';
import type { Running, Sandbox } from './sandbox.ts';
import { waitUntil } from './wait-until.ts';

const root = join(import.meta.dirname, '..', '..');
/** As it is built, or another one that is to be tried: one for another processor, under an emulator. */
export const SENTINEL = process.env.SENTINEL ?? join(root, 'dist', 'watchdog-sentinel');

/** One brain that the sentinel has started. */
export interface PlayedBrain {
  readonly pid: number;
  /** All that it was told so far, without the state. */
  lines(): readonly string[];
  /** Waits for a line that holds a text; its SEQ. */
  told(text: string | RegExp): Promise<number>;
  readonly state: string;
  send(frame: Frame, ack: number): void;
  sendRaw(bytes: string | Buffer): void;
  /** Ends without a further word. */
  end(): void;
}

export interface PlayedSentinel {
  readonly process: Running;
  /** The frame that each of the test's frames is a change of. */
  readonly frame: Frame;
  nextBrain(): Promise<PlayedBrain>;
}

/** Starts a sentinel whose brains are played by the test. */
export async function playSentinel(
  sandbox: Sandbox,
  changes: Partial<Frame> = {},
  options: Partial<Beginning> & {
    readonly sentinel?: string;
    readonly env?: NodeJS.ProcessEnv;
    /** What runs it, such as strace with its options. */
    readonly under?: readonly string[];
  } = {},
): Promise<PlayedSentinel> {
  const brains: PlayedBrain[] = [];
  const server = createServer((socket) => hearHello(socket).then((brain) => brains.push(brain)));
  const address = sandbox.path('brains');
  server.listen(address);
  await once(server, 'listening');
  sandbox.undo(() => server.close());
  const relay = join(root, 'test', 'fixtures', 'relay.cjs');
  const frame: Frame = {
    state: 'first',
    brain: command(process.execPath, ['watchdog: brain', relay, address, sandbox.marker]),
    title: 'watchdog: played',
    note: '[%t] played: %m',
    log: sandbox.path('log'),
    offsetSeconds: 0,
    filesLimit: null,
    watch: [],
    deadlineMs: null,
    starts: [],
    signals: [],
    kills: [],
    isReady: false,
    isPatient: false,
    taps: [],
    replaces: [],
    forwards: false,
    detaches: false,
    end: 'stay',
    ...changes,
  };
  const beginning = { lock: options.lock ?? null, control: options.control ?? null };
  const env = { ...(options.env ?? process.env), ...formatHandover(frame, beginning), MARKER: sandbox.marker };
  const [program = '', ...args] = [...(options.under ?? []), options.sentinel ?? SENTINEL, ' '.repeat(80)];
  const started = sandbox.start(program, args, { env });
  let taken = 0;
  return {
    process: started,
    frame,
    nextBrain: async () => {
      const brain = await waitUntil('a brain is started', () => brains[taken]);
      taken += 1;
      return brain;
    },
  };
}

/** A command with nothing but its arguments. */
export function command(program: string, args: readonly string[]): Frame['brain'] {
  return {
    program,
    args,
    set: {},
    unset: [],
    directory: null,
    output: null,
    errors: null,
    user: null,
    rotate: null,
    restraint: NO_RESTRAINT,
    isForeground: false,
  };
}

/** A shell command, as an order starts it. */
export function shell(text: string, changes: Partial<Frame['brain']> = {}): Frame['brain'] {
  return { ...command('/bin/sh', ['sh', '-c', text]), ...changes };
}

async function hearHello(socket: Socket): Promise<PlayedBrain> {
  let bytes = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    bytes = Buffer.concat([bytes, data]);
  });
  socket.on('error', () => socket.destroy());
  const match = await waitUntil('the brain has the whole state', () => {
    const found = /^brain (\d+)\nhello \d+ (\d+)\n/.exec(bytes.toString('latin1'));
    return found !== null && bytes.length > found[0].length + Number(found[2]) ? found : null;
  });
  const begin = match[0].length;
  const length = Number(match[2]);
  const lines = (): readonly string[] =>
    bytes
      .subarray(begin + length + 1)
      .toString('latin1')
      .split('\n')
      .slice(0, -1);
  return {
    pid: Number(match[1]),
    state: bytes.toString('utf8', begin, begin + length),
    lines,
    told: async (text) => {
      const line = await waitUntil(`the brain is told ${text}, of:\n${lines().join('\n')}`, () =>
        lines().find((one) => (typeof text === 'string' ? one.includes(` ${text}`) : text.test(one))),
      );
      return Number(line.split(' ')[0]);
    },
    send: (frame, ack) => socket.write(formatFrame(frame, ack)),
    sendRaw: (raw) => socket.write(raw),
    end: () => socket.end(),
  };
}

/** Compiles a sentinel with other times, so that no test waits for half a minute. */
export function compileSentinel(sandbox: Sandbox, definitions: readonly string[]): string {
  const output = sandbox.path(`${sandbox.marker}-sentinel`);
  const flags = [
    '-Os',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-static',
    '-nostdlib',
    '-ffreestanding',
    '-fno-pic',
    '-fno-stack-protector',
  ];
  execFileSync('sh', ['-c', 'cc "$@" src/sentinel/*.c', 'sh', ...flags, ...definitions, '-o', output], { cwd: root });
  return output;
}
