/** `${VAR}` in the strings of a configuration file. */
import { hint } from './given.ts';

const REFERENCE = /\$(\$\{|\{([^}]*)(\}?))/g;

/**
 * Fills in variables of the environment: `${NAME}`, or `${NAME:-text}` where it may be
 * missing. `$${` stands for `${` itself, which a shell's command may need.
 */
export function expandVariables(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const expanded = text.replace(REFERENCE, (whole: string, escaped: string, inner: string, end: string) => {
    if (escaped === '${') return '${';
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
    if (match === null || end === '') {
      problems.push(`"${whole}" is no variable; write \${NAME}, or $\${ for the characters themselves`);
      return '';
    }
    const [, name = '', otherwise] = match;
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (value !== undefined && (value !== '' || otherwise === undefined)) return value;
    if (otherwise !== undefined) return otherwise;
    const known = Object.keys(environment).filter((one) => one.toLowerCase() === name.toLowerCase());
    const help = known.length > 0 ? hint(name, known, '') : '';
    problems.push(
      `the environment has no ${name}${help}; write \${${name}:-…} to go on without it, or $\${ for the shell's own`,
    );
    return '';
  });
  return { text: expanded, problems };
}
