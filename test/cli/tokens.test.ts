import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { TokenRow } from '../../src/protocol/tokens';
import { CLI, Lab } from './lab';

const FIXTURE = resolve('test/fixtures/playground/language');
const CHAT =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

const lab = new Lab({
  task: { type: 'causal-language-modeling', head: 'none' },
  model: { maxLength: 40 },
  data: { messagesColumn: 'chat' },
  adapter: { method: 'lora', targetModules: ['c_attn'] },
});
for (const name of ['model.onnx', 'tokenizer.json', 'config.json'])
  lab.write(name, readFileSync(join(FIXTURE, name)));
lab.write('tokenizer_config.json', JSON.stringify({ eos_token: '<|endoftext|>', chat_template: CHAT }));
const chat = (user: string, assistant: string) =>
  JSON.stringify({
    chat: [
      { role: 'user', content: user },
      { role: 'assistant', content: assistant },
    ],
  });
lab.write(
  'train.jsonl',
  [chat('a', 'yes'), chat('b', 'a very long answer that is cut'), chat('ab', 'no')].join('\n') + '\n',
);
lab.write('validation.jsonl', `${chat('c', 'no')}\n`);
afterAll(() => lab.remove());

const tokens = (...args: string[]) => lab.run('tokens', lab.experiment, ...args);

describe('aurora tokens', () => {
  it('shows the first row, with brackets around what counts where there are no colors', () => {
    const { code, out, err } = tokens();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/train\.jsonl:1 · training data, row 1 of 3\n/);
    expect(out).toMatch(/\n4 of \d+ tokens count in the loss\.\n/);
    expect(out).toMatch(/⟦y│e│s│<\|endoftext\|>⟧/);
    expect(out).not.toContain('\x1b');
    expect(out).toContain('⟦⟧ counts in the loss');
  });

  it('says how much was cut off, and what of it would have counted', () => {
    const { out } = tokens('--row', '2');
    expect(out).toMatch(
      /(\d+) of 40 tokens count in the loss; (\d+) were cut off, of which \2 would count\./,
    );
    expect(out).toMatch(/✂ \d+ tokens: .*is cut<\|endoftext\|>\n/);
  });

  it('warns where nothing counts, with the next step', () => {
    const { code, out } = tokens('--row', '1', '--set', 'model.maxLength=6');
    expect(code).toBe(0);
    expect(out).toContain(
      'warning: Nothing in this row counts in the loss: no token of the answer is left within model.maxLength. Training stops at it (data.onBadRow is "fail").',
    );
    expect(out).toContain('Raise model.maxLength (now 6)');
    expect(out).toContain('0 of 6 tokens count in the loss');
  });

  it('prints one JSON object', () => {
    const { code, out } = tokens('--json', '--split', 'validation');
    expect(code).toBe(0);
    const row = JSON.parse(out) as TokenRow;
    expect(row).toMatchObject({ kind: 'tokens', split: 'validation', row: 1, rows: 1, perToken: true });
    expect(row.file).toBe(lab.path('validation.jsonl'));
    expect(row.tokens.filter(({ counts }) => counts).map(({ text }) => text)).toEqual([
      'n',
      'o',
      '<|endoftext|>',
    ]);
  });

  it('names the number of rows where there is no such row, and the choices where an option is wrong', () => {
    expect(tokens('--row', '12')).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'train.jsonl has no row 12. It has 3 rows, from line 1 to line 3.',
      ) as string,
    });
    expect(tokens('--split', 'test')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--split takes train or validation, not "test".') as string,
    });
    expect(tokens('--row', 'validation.jsonl:1').out).toContain('validation data, row 1 of 1');
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'colors tokens on a terminal, unless NO_COLOR is set',
    () => {
      const onTerminal = (env: NodeJS.ProcessEnv) => {
        const out = lab.path('typescript');
        const command = `'${process.execPath}' '${CLI}' tokens '${lab.experiment}' --row 3`;
        spawnSync('script', ['-qec', command, out], {
          env: { PATH: process.env.PATH, HOME: lab.folder, TERM: 'xterm-256color', ...env },
        });
        return readFileSync(out, 'utf8');
      };
      const colored = onTerminal({});
      expect(colored).toContain('\x1b[1;32mn\x1b[22;39m');
      expect(colored).toContain('counts in the loss');
      expect(colored).not.toContain('⟦');
      expect(onTerminal({ NO_COLOR: '1' })).not.toContain('\x1b');
      expect(onTerminal({ NO_COLOR: '1' })).toContain('⟦n│o');
    },
  );
});
