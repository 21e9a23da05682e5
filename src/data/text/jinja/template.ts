import { parse } from './parser';
import { render, type Rendered } from './render';
import { TemplateError } from './template-error';
import { Dict, list, type Value } from './jinja-values';

/** A value that a template may get: the kinds of values of chat templates. */
export type Plain = null | boolean | string | readonly Plain[] | { readonly [key: string]: Plain };

/** The longest template that is read; the longest known one has 30,000 characters. */
const LONGEST = 1_000_000;

/**
 * A Jinja template, rendered as transformers renders chat templates: Jinja2's sandbox with trim_blocks, lstrip_blocks, loop
 * controls and {% generation %}. Each rendering is bounded in steps, memory and output.
 *
 * Its values are Python's, since templates depend on them: `1 == '1'` is false, None reads as "None", and
 * strip takes the characters to remove.
 *
 * @returns a function that throws TemplateError, with the line, where a rendering fails
 * @throws TemplateError with the line of a mistake in the template
 */
export function compile(template: string): (variables: Record<string, Plain>) => Rendered {
  if (template.length > LONGEST)
    throw new TemplateError(`it is longer than ${LONGEST.toLocaleString('en')} characters`, 1);
  const statements = parse(template);
  return (variables) =>
    render(
      statements,
      Object.entries(variables).map(([name, value]) => [name, valueOf(value)]),
    );
}

function valueOf(plain: Plain): Value {
  if (plain === null || typeof plain !== 'object') return plain;
  if (Array.isArray(plain)) return list((plain as readonly Plain[]).map(valueOf));
  return new Dict(Object.entries(plain).map(([key, value]): [Value, Value] => [key, valueOf(value)]));
}
