import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Compiles the fuzzer of the sentinel, with AddressSanitizer and UndefinedBehaviorSanitizer. */
export function compileFuzzer(output: string): string {
  const source = join(import.meta.dirname, '..', 'sentinel', 'fuzz.c');
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  execFileSync('cc', ['-g', '-O1', '-w', ...sanitizers, '-o', output, source], { stdio: 'inherit' });
  return output;
}
