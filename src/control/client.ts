/** The asking end of the control socket. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { QUESTIONS } from '../core/verbs.ts';
import { errorCode } from '../system/errors.ts';
import type { ControlRequest } from './protocol.ts';

/** A brain takes a fraction of a second to start and to answer. */
const PATIENCE_MS = 10_000;

/** What came back, or the code of the error: nobody listens there, or it may not be asked. */
export type Reply = { readonly status: number; readonly body: unknown } | { readonly code: string };

/** Asks the watchdog at this socket. */
export async function ask(path: string, request: ControlRequest): Promise<Reply> {
  const opened = await open(path, request);
  if ('code' in opened) return opened;
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of opened.message) chunks.push(chunk as Buffer);
    return { status: opened.message.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch (error) {
    if (error instanceof SyntaxError) return { code: 'EPROTO' };
    return { code: errorCode(error) };
  }
}

/** Asks, and hands every line of the answer on as it comes, until the other side ends it. */
export async function follow(
  path: string,
  request: ControlRequest,
  onLine: (line: string) => void,
): Promise<Reply | null> {
  const opened = await open(path, request);
  if ('code' in opened) return opened;
  let rest = '';
  try {
    for await (const chunk of opened.message.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    }
  } catch (error) {
    // The watchdog ended in the middle of it.
    errorCode(error);
  }
  return null;
}

function open(
  socketPath: string,
  { verb, ...rest }: ControlRequest,
): Promise<{ readonly message: IncomingMessage } | { readonly code: string }> {
  return new Promise((resolve) => {
    const isQuestion = QUESTIONS.some((one) => one === verb);
    const query = new URLSearchParams(rest.targets.map((target): [string, string] => ['target', target]));
    if (rest.follow) query.set('follow', '1');
    const { forMs, reason, signal, targets } = rest;
    const sent = httpRequest({
      socketPath,
      method: isQuestion ? 'GET' : 'POST',
      path: `/v1/${verb}${isQuestion && query.size > 0 ? `?${query}` : ''}`,
      agent: false,
    });
    // An order is answered when it is carried out; a question at once.
    if (isQuestion) sent.setTimeout(PATIENCE_MS, () => sent.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    sent.on('error', (error) => resolve({ code: errorCode(error) }));
    sent.on('response', (message) => {
      sent.setTimeout(0);
      resolve({ message });
    });
    sent.end(isQuestion ? undefined : JSON.stringify({ targets, forMs, reason, signal }));
  });
}
