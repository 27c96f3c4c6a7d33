/** The JSON Schema of a configuration, from the one table of options: for editors. */
import { EVENTS } from '../core/notice.ts';
import type { OptionScope, OptionSpec } from './option-spec.ts';
import { OPTION_SPECS } from './options.ts';

/** The whole schema (draft 2020-12), as plain data. */
export function configSchema(): object {
  const target = { type: 'object', additionalProperties: false, properties: propertiesOf('target') };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of watchdog',
    type: 'object',
    additionalProperties: false,
    properties: {
      ...propertiesOf('watchdog'),
      include: { description: 'more targets: files, or patterns of files', ...listOf({ type: 'string' }) },
      defaults: { description: 'for every target that says nothing else', ...target },
      target: {
        description: 'what to watch, by name',
        type: 'object',
        propertyNames: { pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}$' },
        additionalProperties: target,
      },
    },
  };
}

function propertiesOf(scope: OptionScope): Readonly<Record<string, object>> {
  const specs = OPTION_SPECS.filter((spec) => spec.scope === scope);
  return Object.fromEntries(specs.map((spec) => [spec.name, toProperty(spec)]));
}

function toProperty(spec: OptionSpec): object {
  const byDefault =
    spec.default === undefined ? {} : { default: spec.type === 'count' ? Number(spec.default) : toPlain(spec.default) };
  return { description: spec.help, ...typeOf(spec), ...byDefault };
}

function typeOf({ choices, name, type }: OptionSpec): object {
  switch (type) {
    case 'switch':
      return { type: 'boolean' };
    case 'count':
      return { type: 'integer' };
    case 'choice':
      return { enum: choices?.map(toPlain) };
    case 'command':
      return { anyOf: [{ type: 'string' }, listOf({ type: 'string' })] };
    case 'duration':
      return { type: 'string', pattern: '^\\s*([0-9]+(\\.[0-9]+)?\\s*(ms|s|m|h|d)|0)\\s*$' };
    case 'list':
      return {
        anyOf: [{ type: 'string' }, listOf(itemOf(name))],
      };
    case 'variables':
      return { type: 'object', additionalProperties: { type: 'string' } };
    case 'limits':
      return { type: 'object', additionalProperties: { type: ['integer', 'string'] } };
    case 'size':
      return {
        anyOf: [
          { type: 'integer', minimum: 0 },
          { type: 'string', pattern: '^[0-9]+ *(k|kB|MB|GB|M|G|B)?$' },
        ],
      };
    case 'text':
    case 'path':
      return { type: 'string' };
  }
}

function itemOf(name: string): object {
  if (name === 'events') return { enum: [...EVENTS, 'all'] };
  return name === 'expected-exit-codes' ? { type: 'integer', minimum: 0, maximum: 255 } : { type: 'string' };
}

/** Some choices are truths. */
function toPlain(choice: string): string | boolean {
  return choice === 'true' || choice === 'false' ? choice === 'true' : choice;
}

function listOf(items: object): object {
  return { type: 'array', items };
}
