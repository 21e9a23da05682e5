import { TemplateError } from './template-error';
import { typeName, type Arguments, type Value } from './jinja-values';

/**
 * Arguments in the order of a signature, undefined where one is not given.
 *
 * @param names the parameters; those that end in ! are required
 * @throws TemplateError for missing, unknown and repeated arguments
 */
export function bind(callee: string, args: Arguments, ...names: string[]): (Value | undefined)[] {
  if (args.positional.length > names.length)
    throw new TemplateError(`${callee} takes at most ${names.length} arguments`);
  const bare = names.map((name) => name.replace('!', ''));
  for (const name of args.named.keys()) {
    const at = bare.indexOf(name);
    if (at < 0) throw new TemplateError(`${callee} has no argument "${name}"`);
    if (at < args.positional.length) throw new TemplateError(`${callee} is given "${name}" twice`);
  }
  return names.map((name, i) => {
    if (i < args.positional.length) return args.positional[i];
    const value = args.named.get(bare[i]);
    if (value === undefined && name.endsWith('!')) throw new TemplateError(`${callee} needs "${bare[i]}"`);
    return value;
  });
}

/** @throws TemplateError for anything but a string */
export function text(callee: string, value: Value | undefined): string {
  if (typeof value !== 'string') throw new TemplateError(`${callee} needs a string, not ${named(value)}`);
  return value;
}

/** A whole number. @throws TemplateError for anything else */
export function whole(callee: string, value: Value | undefined, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'number')
    throw new TemplateError(`${callee} needs a whole number, not ${named(value)}`);
  return value;
}

const named = (value: Value | undefined): string => (value === undefined ? 'nothing' : typeName(value));
