/** `npm run fuzz -- SECONDS [SEED]`: the fuzzer of the sentinel for as long as you like. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileFuzzer } from '../test/support/fuzzer.ts';

const [seconds = '60', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'watchdog-fuzz-'));
console.log(`seed ${seed}`);
const { status } = spawnSync(compileFuzzer(join(directory, 'fuzz')), [seconds, seed], { stdio: 'inherit' });
rmSync(directory, { recursive: true });
process.exitCode = status ?? 1;
