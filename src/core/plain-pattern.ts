/**
 * Patterns without repetition, groups and brackets: most that people write. A
 * backtracking matcher takes no longer for them than the text times the pattern, so
 * that the engine of the language will do, which is there at once.
 */

/** Characters that mean themselves, `.`, and escaped punctuation; `^` and `$` at the ends. ASCII only. */
const PLAIN_BRANCH = /^\^?(?:[A-Za-z0-9 _\-/:@=,;"'#%&!~<>]|\.|\\[.^$|?*+()[\]{}\\])+\$?$/;

/** The same as a regular expression of this language; `null` if the pattern is not plain. */
export function toPlainRegExp(pattern: string, isExact: boolean): RegExp | null {
  const branches = pattern.split(/(?<!\\)\|/);
  if (!branches.every((branch) => PLAIN_BRANCH.test(branch))) return null;
  return new RegExp(isExact ? `^(?:${pattern})$` : pattern, 'su');
}
