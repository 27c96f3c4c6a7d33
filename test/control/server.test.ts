import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { ask } from '../../src/control/client.ts';
import { type Asked, openServer } from '../../src/control/server.ts';
import { ORDERS, QUESTIONS } from '../../src/core/verbs.ts';
import { makeSandbox } from '../support/sandbox.ts';

const RUNS = Number(process.env.RUNS ?? 300);
const VERBS = [...QUESTIONS, ...ORDERS];

test('what is asked arrives as it was asked, and so does the answer', async (t) => {
  const path = makeSandbox(t).path('socket');
  const asked: Asked['request'][] = [];
  const server = await openServer(
    { path },
    {
      onAsked: ({ answer, request }) => {
        asked.push(request);
        answer(request.verb === 'stop' ? 409 : 200, { results: [], verb: request.verb });
      },
      onIdle: () => {},
    },
  );
  t.after(() => server.close());
  const request = { targets: ['a', 'b c/ü&=?'], forMs: 5, reason: 'é\n', signal: 'USR1', follow: false };
  for (const verb of VERBS) {
    const reply = await ask(path, { verb, ...request });
    assert.deepEqual(reply, { status: verb === 'stop' ? 409 : 200, body: { results: [], verb } });
    const isQuestion = QUESTIONS.some((one) => one === verb);
    const own = isQuestion ? { forMs: null, reason: null, signal: null } : {};
    assert.deepEqual(asked.at(-1), { verb, ...request, ...own });
  }
});

test('whatever bytes come, nothing is asked for that has not its form, and the next one is served', async (t) => {
  const path = makeSandbox(t).path('socket');
  const server = await openServer(
    { path },
    {
      onAsked: ({ answer, request }) => {
        assert.ok(VERBS.includes(request.verb));
        assert.ok(request.targets.every((one) => typeof one === 'string'));
        assert.ok(request.forMs === null || request.forMs > 0);
        answer(200, {});
      },
      onIdle: () => {},
    },
  );
  t.after(() => server.close());
  const word = fc.constantFrom(...VERBS, 'constructor', '__proto__', '..', 'v1', '', 'stop.call');
  const body = fc.oneof(fc.json(), fc.string(), fc.constant('{"targets":["a"],"forMs":1e999}'));
  const request = fc
    .tuple(fc.constantFrom('GET', 'POST', 'PUT', 'X'), word, body)
    .map(
      ([method, verb, text]) =>
        `${method} /v1/${verb} HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  const anything = fc.oneof(
    request,
    request.map((text) => text.slice(0, text.length / 2)),
    fc.string({ maxLength: 300 }),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (text) => {
      const socket = connect(path);
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.end(text);
      await once(socket, 'close');
      assert.equal(
        'status' in
          (await ask(path, { verb: 'status', targets: [], forMs: null, reason: null, signal: null, follow: false })),
        true,
      );
    }),
    { numRuns: RUNS },
  );
});

test('few at a time: those beyond are let go, the others are served', async (t) => {
  const path = makeSandbox(t).path('socket');
  const server = await openServer({ path }, { onAsked: ({ answer }) => answer(200, {}), onIdle: () => {} });
  const crowd = Array.from({ length: 200 }, () => connect(path).on('error', () => {}));
  t.after(() => {
    for (const one of crowd) one.destroy();
    server.close();
  });
  await Promise.all(crowd.slice(64).map((one) => (one.destroyed ? null : once(one, 'close'))));
  for (const one of crowd.slice(0, 32)) one.destroy();
  const reply = await ask(path, {
    verb: 'status',
    targets: [],
    forMs: null,
    reason: null,
    signal: null,
    follow: false,
  });
  assert.ok('status' in reply && reply.status === 200);
});

test('what takes long to be carried out is waited for', async (t) => {
  const path = makeSandbox(t).path('socket');
  const onAsked = ({ answer }: Asked): unknown => setTimeout(() => answer(200, { results: [] }), 6_500);
  const server = await openServer({ path }, { onAsked, onIdle: () => {} });
  t.after(() => server.close());
  const request = { verb: 'stop', targets: ['a'], forMs: null, reason: null, signal: null, follow: false } as const;
  assert.deepEqual(await ask(path, request), { status: 200, body: { results: [] } });
});
