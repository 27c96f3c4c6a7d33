import { hint } from '../../config/given.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';
import { readTopic, TOPICS } from '../topics.ts';

/** Prints a page of the manual. */
export async function help({ problems, words }: Invocation): Promise<number> {
  const [word] = words;
  const topic = TOPICS.find((one) => one === word);
  const unknown =
    word === undefined || topic !== undefined
      ? []
      : [{ where: 'help', what: `there is no topic "${word}"${hint(word, TOPICS, 'topics')}` }];
  if (problems.length + unknown.length > 0) return refuse([...problems, ...unknown]);
  print(readTopic(topic ?? 'manual').replace(/<!--.*?-->\n/g, ''));
  return exitCode('ok');
}
