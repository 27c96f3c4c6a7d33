import { hint } from '../../config/given.ts';
import { completionFor, SHELLS } from '../completion.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';

/** Prints what teaches a shell to complete our commands, options and targets. */
export async function completion({ problems, words }: Invocation): Promise<number> {
  const shell = SHELLS.find((one) => one === words[0]);
  if (shell !== undefined && problems.length === 0) {
    print(completionFor(shell));
    return exitCode('ok');
  }
  const what = `"${words[0] ?? ''}" is no shell that we know${hint(words[0] ?? '', SHELLS, 'shells')}`;
  return refuse(shell === undefined ? [...problems, { where: 'completion', what }] : problems);
}
