/** What another tool's configuration comes to in ours, and all of it that has no equivalent. Pure. */

export type Value = string | number | boolean | readonly string[] | Readonly<Record<string, string>>;

/** One table of ours, in the order in which it is written. */
export interface ImportedTable {
  /** `null`: the keys at the top of the file. */
  readonly name: string | null;
  readonly pairs: (readonly [key: string, value: Value, comment?: string])[];
  /** What was said there and can't be said here, each with why. */
  readonly comments: string[];
}

export interface Imported {
  readonly tables: readonly ImportedTable[];
  /** What could not be read at all. */
  readonly problems: readonly { readonly where: string; readonly what: string }[];
}

export function emptyTable(name: string | null): ImportedTable {
  return { name, pairs: [], comments: [] };
}

/** Names of targets have letters, digits and `. _ - @ : +`. */
export function toName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_.@:+-]+/g, '-').replace(/^[^A-Za-z0-9_]+/, '');
  return name.slice(0, 64) || 'target';
}

/** As TOML. A comment goes before what it is about. */
export function formatImported(tables: readonly ImportedTable[], source: string, by = 'watchdog import'): string {
  const parts = tables.map((table) => formatTable(table)).filter((text) => text !== '');
  return [`# Made from ${oneLine(source)} by ${by}; read it once.\n`, ...parts].join('\n');
}

function formatTable({ comments, name, pairs }: ImportedTable): string {
  const lines = [
    ...(name === null ? [] : [`[${name === 'defaults' ? name : `target.${quoteKey(name)}`}]`]),
    ...pairs.map(
      ([key, value, comment]) =>
        `${key} = ${toToml(value, key)}${comment === undefined ? '' : `  # ${oneLine(comment)}`}`,
    ),
    ...comments.map((comment) => `# ${oneLine(comment)}`),
  ];
  return lines.length === 0 || (lines.length === 1 && name === 'defaults') ? '' : `${lines.join('\n')}\n`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\0-\x1f\x7f]+/g, ' ').trim();
}

function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

function toToml(value: Value, key: string): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const isNumbers = key === 'expected-exit-codes';
  if (Array.isArray(value)) return `[${value.map((one) => (isNumbers ? one : quote(one))).join(', ')}]`;
  const entries = Object.entries(value).map(([key, text]) => `${quoteKey(key)} = ${quote(text)}`);
  return `{ ${entries.join(', ')} }`;
}

/** A basic string; TOML escapes like JSON, but for U+007F. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F');
}

/** Text in which our own variables would be filled in, so that they are not. */
export function literally(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** A pattern that means just this text. */
export function toPattern(text: string): string {
  return text.replaceAll(/[.[\]{}()*+?^$|\\]/g, '\\$&');
}
