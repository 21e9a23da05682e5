import { describe, expect, it } from 'vitest';
import { withServer } from '../../../../src/extension/tools/mcp-json';

const entry = { command: '/storage/bin/aurora', args: ['mcp', '/project'] };
const merged = (text?: string) => withServer('/project/.mcp.json', text, entry);

describe('the lab in an .mcp.json', () => {
  it('makes the file if there is none, or it is empty', () => {
    for (const text of [undefined, '', ' \n'])
      expect(JSON.parse(merged(text).text)).toEqual({ mcpServers: { aurora: entry } });
  });

  it('leaves other servers and everything else as they are written, comments included', () => {
    const text = `{
    // For the whole team.
    "mcpServers": {
        "github": { "type": "http",   "url": "https://example.org/mcp" },
    },
    "other": [1,2]
}
`;
    const { text: changed, was } = merged(text);
    expect(was).toBe('new');
    for (const line of text.split('\n').filter((l) => /github|team|other/.test(l)))
      expect(changed).toContain(line.trim().replace(/,$/, ''));
    expect(changed).toContain('"aurora"');
    expect(merged(changed)).toMatchObject({ text: changed, was: 'same' });
  });

  it('names an entry of the same name that is different, and replaces that alone', () => {
    const other = { command: 'old', args: [] };
    const text = JSON.stringify({ mcpServers: { a: { command: 'x' }, aurora: other } });
    const { text: changed, was, before } = merged(text);
    expect([was, before]).toEqual(['other', other]);
    expect(JSON.parse(changed)).toEqual({ mcpServers: { a: { command: 'x' }, aurora: entry } });
  });

  it.each(['{}', '{ "mcpServers": {} }', '{\n\t"other": 1 // why\n}\n', '{"mcpServers":{"a":{}}}'])(
    'adds to %j what is missing',
    (text) => {
      const { text: changed, was } = merged(text);
      expect(was).toBe('new');
      expect(merged(changed).was).toBe('same');
      for (const word of ['other', 'why', '"a":{}']) expect(changed.includes(word)).toBe(text.includes(word));
    },
  );

  it.each([
    ['{ "mcpServers": ', /not valid JSON \(line 1\)/],
    ['{\n  "mcpServers": [}\n', /not valid JSON \(line 2\)/],
    ['[]', /has no object of servers/],
    ['{ "mcpServers": [] }', /has no object of servers/],
    ['3', /has no object of servers/],
  ])('refuses %j', (text, message) => {
    expect(() => merged(text)).toThrow(message);
    expect(() => merged(text)).toThrow('so it is not changed.');
  });
});
