/**
 * The watchdog's end of the control socket. Who may connect is a matter of the socket's
 * mode; here bad clients are kept from doing harm: few at a time, short requests, no
 * patience, and nothing of what they say is looked up in anything.
 */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { ORDERS, QUESTIONS, type Verb } from '../core/verbs.ts';
import { errorCode } from '../system/errors.ts';
import type { ControlRequest } from './protocol.ts';

const MAX_CLIENTS = 64;
const MAX_BODY_BYTES = 64 * 1_024;
const PATIENCE_MS = 5_000;
/** A follower that does not read is left behind. */
const MAX_BACKLOG_BYTES = 1_024 * 1_024;
/** How long the next one may take to come. */
const NEXT_CLIENT_MS = 1_500;
/** How long the one who has woken us may take to be let in. */
const FIRST_CLIENT_MS = 1_000;
const PATH = /^\/v1\/([a-z]+)$/;

/** One request, and the way to answer it. */
export interface Asked {
  readonly request: ControlRequest;
  /** Answers, and is done. */
  answer(status: number, body: object): void;
  /** Begins an answer of lines that goes on until the client leaves. */
  follow(): { tell(line: object): void };
  /** Whether the client is still there. */
  isOpen(): boolean;
}

export interface ControlServer {
  /** Whether nobody is connected. */
  isIdle(): boolean;
  /** Takes no more, and lets those go that are there. */
  close(): void;
}

export interface ServerOptions {
  readonly onAsked: (asked: Asked) => void;
  /** The last one has left. */
  readonly onIdle: () => void;
}

/** Serves an inherited socket that listens, or listens at a path. */
export async function openServer(
  at: { readonly fd: number } | { readonly path: string },
  { onAsked, onIdle }: ServerOptions,
): Promise<ControlServer> {
  if ('path' in at) await clearAway(at.path);
  let clients = 0;
  // Whoever waited before we listened has not been let in yet.
  let isExpecting = 'fd' in at;
  let timer = setTimeout(giveUp, FIRST_CLIENT_MS);
  function giveUp(): void {
    isExpecting = false;
    onIdle();
  }
  const server = createServer(
    {
      connectionsCheckingInterval: 1_000,
      headersTimeout: PATIENCE_MS,
      requestTimeout: PATIENCE_MS,
      keepAliveTimeout: 1,
    },
    (request, response) => {
      readRequest(request)
        .then((read) => {
          if ('error' in read) answer(response, read.status, { error: read.error });
          else onAsked(toAsked(read.request, response));
        })
        .catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CLIENTS;
  server.on('connection', (socket) => {
    clients += 1;
    clearTimeout(timer);
    // Whoever connects and says nothing is no better than one who says it slowly. (A timeout of the
    // socket itself would also end those who have asked, and wait for what comes of it.)
    const silence = setTimeout(() => {
      if (socket.bytesRead === 0) socket.destroy();
    }, PATIENCE_MS);
    socket.on('close', () => {
      clearTimeout(silence);
      clients -= 1;
      // One question is often followed by another, and a brain takes a while to start.
      if (clients === 0) timer = setTimeout(giveUp, NEXT_CLIENT_MS);
      isExpecting = true;
    });
  });
  server.on('clientError', (_, socket) => socket.destroy());
  server.on('error', () => {});
  listen(server, at);
  return {
    isIdle: () => clients === 0 && !isExpecting,
    close() {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What was left behind by a watchdog that was killed is taken away; what somebody answers at is not. */
function clearAway(path: string): Promise<void> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve();
    });
    probe.on('error', (error) => {
      if (errorCode(error) === 'ECONNREFUSED') rmSync(path, { force: true });
      resolve();
    });
  });
}

/** For the owner alone from its first moment on. A path is bound before this returns. */
function listen(server: Server, at: { readonly fd: number } | { readonly path: string }): void {
  const mask = process.umask(0o177);
  server.listen(at);
  process.umask(mask);
}

type Read = { readonly request: ControlRequest } | { readonly status: number; readonly error: string };

async function readRequest(message: IncomingMessage): Promise<Read> {
  const url = new URL(message.url ?? '/', 'http://watchdog');
  const word = PATH.exec(url.pathname)?.[1] ?? '';
  const verb = [...QUESTIONS, ...ORDERS].find((one) => one === word);
  if (verb === undefined) {
    return {
      status: 404,
      error: `there is no such verb; there are ${[...QUESTIONS, ...ORDERS].join(', ')}, as /v1/VERB`,
    };
  }
  const isQuestion = QUESTIONS.some((one) => one === verb);
  if (message.method !== (isQuestion ? 'GET' : 'POST')) {
    return { status: 405, error: `${verb} is asked by ${isQuestion ? 'GET' : 'POST'}` };
  }
  if (isQuestion) {
    const { searchParams: query } = url;
    return { request: { ...nothing(verb), targets: query.getAll('target'), follow: query.get('follow') === '1' } };
  }
  const body = await readBody(message);
  if (body === null) return { status: 413, error: `a request has at most ${MAX_BODY_BYTES} bytes` };
  return readOrder(verb, body);
}

function nothing(verb: Verb): ControlRequest {
  return { verb, targets: [], forMs: null, reason: null, signal: null, follow: false };
}

/** `null` if it is too long. */
async function readBody(message: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message) {
    length += (chunk as Buffer).length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Every field is read by its own name and for its own type; what else is there is refused. */
function readOrder(verb: Verb, body: string): Read {
  const fields = parseObject(body);
  if (fields === null) return { status: 400, error: 'the body must be a JSON object' };
  const request: { -readonly [K in keyof ControlRequest]: ControlRequest[K] } = nothing(verb);
  for (const [name, value] of fields) {
    if (name === 'targets' && isTexts(value)) request.targets = value;
    else if (name === 'forMs' && (value === null || isSpan(value))) request.forMs = value;
    else if (name === 'reason' && (value === null || isText(value))) request.reason = value;
    else if (name === 'signal' && (value === null || isText(value))) request.signal = value;
    else {
      const what = 'allowed are targets (a list of names), forMs (a number), reason and signal (texts)';
      return { status: 400, error: `"${name.slice(0, 40)}" is not allowed, or not so; ${what}` };
    }
  }
  return { request };
}

function parseObject(body: string): readonly (readonly [string, unknown])[] | null {
  if (body.trim() === '') return [];
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 1_000;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isSpan(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function toAsked(request: ControlRequest, response: ServerResponse): Asked {
  return {
    request,
    answer: (status, body) => answer(response, status, body),
    follow() {
      response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
      response.flushHeaders();
      return {
        tell(line) {
          if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
          else response.write(`${JSON.stringify(line)}\n`);
        },
      };
    },
    isOpen: () => !response.destroyed && !response.writableEnded,
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  response.end(text);
}
