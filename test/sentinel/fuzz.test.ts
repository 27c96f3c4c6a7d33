/** The sentinel's code under a hostile brain and a kernel of ill will; `npm run fuzz -- SECONDS` takes longer. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { compileFuzzer } from '../support/fuzzer.ts';
import { makeSandbox } from '../support/sandbox.ts';

for (const seed of ['1', '2']) {
  test(`nothing that the sanitizers can find, with seed ${seed}`, (t) => {
    const fuzzer = compileFuzzer(makeSandbox(t).path('fuzz'));
    const said = execFileSync(fuzzer, ['5', seed], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    const [, inputs, frames] = /^(\d+) inputs, (\d+) frames applied, \d+ commands read, no finding$/m.exec(said) ?? [];
    assert.ok(Number(inputs) > 5_000 && Number(frames) > 500, said);
  });
}
