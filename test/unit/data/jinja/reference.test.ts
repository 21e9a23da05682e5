import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, type Plain } from '../../../../src/data/text/jinja/template';
import { TemplateError } from '../../../../src/data/text/jinja/template-error';

const FOLDER = join(import.meta.dirname, '../../../fixtures/chat-templates');
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const conversations = JSON.parse(read('conversations.json')) as Record<string, Plain>;
const expected = JSON.parse(read('expected.json')) as {
  templates: Record<string, Record<string, [string | null, string | null]>>;
  snippets: (string | null)[];
};

/** The rendering, or null where the template or its rendering is refused. */
function rendered(template: string, variables: Record<string, Plain>): string | null {
  try {
    return compile(template)(variables).text;
  } catch (error) {
    if (error instanceof TemplateError) return null;
    throw error;
  }
}

describe('Jinja as Jinja2 renders it', () => {
  it('evaluates expressions, filters, tests and methods as Python does', () => {
    const snippets = read('snippets.txt')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string);
    const all = (of: (snippet: string, i: number) => string | null) =>
      snippets.map((snippet, i) => ({ snippet, text: of(snippet, i) }));
    expect(all((snippet) => rendered(snippet, { messages: conversations.single }))).toEqual(
      all((_, i) => expected.snippets[i]),
    );
  });

  it.each(Object.entries(expected.templates))('renders the template %s as Jinja2 does', (name, texts) => {
    const source = read(name);
    const given = { tools: null, documents: null, bos_token: '<s>', eos_token: '</s>' };
    const found = Object.fromEntries(
      Object.entries(conversations).map(([conversation, messages]) => [
        conversation,
        [false, true].map((ask) => rendered(source, { ...given, messages, add_generation_prompt: ask })),
      ]),
    );
    // Only the date differs from the recorded one.
    const today = /(?<=Current date: )\d{4}-\d\d-\d\d/g;
    const undated = (value: unknown) => JSON.parse(JSON.stringify(value).replace(today, '')) as unknown;
    expect(undated(found)).toEqual(undated(texts));
  });
});
