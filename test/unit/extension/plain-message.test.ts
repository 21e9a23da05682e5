import { describe, expect, it } from 'vitest';
import { plainMessage } from '../../../src/extension/messages/plain-message';

/** The strings that become links in VS Code's notifications and below an input box: vs/base/common/linkedText. */
const LINK = /\[[^\]]+\]\((?:https?:\/\/|command:|file:)[^)\s]+(?: (["']).+?\1)?\)/i;

describe('a message', () => {
  it.each([
    '[Show details](command:workbench.action.terminal.sendSequence?%7B%7D)',
    '[a](https://example.org)',
    '[a](http://example.org "title")',
    "[a](file:///etc/passwd 'title')",
    '[A](COMMAND:workbench.action.quit)',
    '[[[a](command:x)',
    '[a [b](command:x)](command:y)',
    '[a\n b](command:x)',
    '\\[a\\](command:x)',
    '[a](command:x)'.repeat(100),
  ])('cannot contain the link %j', (text) => {
    for (const whole of [text, `The run ${text} failed.`]) {
      // As VS Code shortens and joins it.
      const shown = plainMessage(whole).slice(0, 1000).replaceAll('\n', ' ').trim();
      expect(whole).toMatch(/\]\(/);
      expect(shown).not.toMatch(LINK);
      expect(shown).not.toContain('](');
    }
  });

  it('reads as before', () => {
    const text = '[a](command:x) and f[0](1)';
    expect(plainMessage(text).replaceAll('\u200b', '')).toBe(text);
    expect(plainMessage('model [1] (2).onnx\nsecond line')).toBe('model [1] (2).onnx\nsecond line');
    expect(plainMessage('')).toBe('');
  });

  it('cannot reverse the text after it, which would hide what it says', () => {
    expect(plainMessage('run \u202egnp.exe\u2066\u0007')).toBe('run \\u202egnp.exe\\u2066\\u0007');
  });
});
