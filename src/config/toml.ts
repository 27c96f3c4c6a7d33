/** A TOML text as a flat list of its values, each with the path of its keys and its line: what an error has to name. */
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import type { Problem } from './given.ts';

/** A value of TOML that has no keys of its own. Numbers are as they were written. */
export type TomlValue =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer' | 'float' | 'date'; readonly text: string }
  | { readonly kind: 'boolean'; readonly isTrue: boolean }
  | { readonly kind: 'array'; readonly items: readonly TomlValue[] }
  /** A table without a single key, or one in an array. */
  | { readonly kind: 'table' };

export interface TomlEntry {
  readonly path: readonly string[];
  readonly value: TomlValue;
  readonly line: number;
}

/** Reads a text; `where` is what its problems are told of, without the line. */
export function parseToml(
  text: string,
  where: string,
): { readonly entries: readonly TomlEntry[] } | { readonly problem: Problem } {
  const broken = /[\0\uFFFD]/.exec(text);
  if (broken !== null) {
    const line = text.slice(0, broken.index).split('\n').length;
    return { problem: { where: `${where}:${line}`, what: 'is no text in UTF-8; write it as plain text' } };
  }
  try {
    const [top] = parseTOML(text).body;
    return { entries: top.body.flatMap((node) => (node.type === 'TOMLTable' ? ofTable(node) : ofPair([], node))) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { problem: { where: `${where}:${error.lineNumber}`, what: `is no TOML: ${explain(error.message)}` } };
  }
}

/** The table itself is an entry too, so that one without a key is not overlooked. */
function ofTable(table: AST.TOMLTable): TomlEntry[] {
  const path = table.resolvedKey.map(String);
  const line = table.loc.start.line;
  // `[[…]]`, a list of tables: whoever reads the value says what is wanted instead.
  if (table.kind === 'array') return [{ path: path.slice(0, -1), value: { kind: 'array', items: [] }, line }];
  return [{ path, value: { kind: 'table' }, line }, ...table.body.flatMap((pair) => ofPair(path, pair))];
}

function ofPair(above: readonly string[], pair: AST.TOMLKeyValue): TomlEntry[] {
  const path = [...above, ...pair.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
  const line = pair.loc.start.line;
  if (pair.value.type !== 'TOMLInlineTable') return [{ path, value: toValue(pair.value), line }];
  return [{ path, value: { kind: 'table' }, line }, ...pair.value.body.flatMap((inner) => ofPair(path, inner))];
}

function toValue(node: AST.TOMLContentNode): TomlValue {
  switch (node.type) {
    case 'TOMLInlineTable':
      return { kind: 'table' };
    case 'TOMLArray':
      return { kind: 'array', items: node.elements.map(toValue) };
    case 'TOMLValue':
      switch (node.kind) {
        case 'string':
          return { kind: 'string', text: node.value };
        case 'boolean':
          return { kind: 'boolean', isTrue: node.value };
        case 'integer':
          return { kind: 'integer', text: String(node.bigint) };
        case 'float':
          return { kind: 'float', text: node.number };
        default:
          return { kind: 'date', text: node.datetime };
      }
  }
}

/** The parser's words, where they need more. */
function explain(message: string): string {
  switch (message) {
    case 'Defining a key multiple times is invalid':
      return 'this key or table was there before; each may be there once';
    case 'Unspecified values are invalid':
      return 'there is no value behind the "="';
    case 'Unterminated string constant':
      return 'a string has no end; close it with the quotes that it began with';
    case 'Unterminated table-key':
      return 'a table has no end; close it with "]"';
    default:
      return message.charAt(0).toLowerCase() + message.slice(1);
  }
}
