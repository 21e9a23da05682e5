import { afterEach, describe, expect, it } from 'vitest';
import { inEnglish, setTranslations, t } from '../../../src/base/l10n';

afterEach(() => setTranslations({}));

describe('a sentence', () => {
  it('gets its values in any order, and keeps placeholders without one', () => {
    expect(t('{1} of {0}, {2}', 10, 'three')).toBe('three of 10, {2}');
  });

  it('does not expand placeholders inside a value', () => {
    expect(t('{0} {1}', '{1}', '$&')).toBe('{1} $&');
  });

  it('is translated once there are translations, and English otherwise', () => {
    expect(t('Step {0}', 3)).toBe('Step 3');
    setTranslations({ 'Step {0}': '{0}. Schritt' });
    expect([t('Step {0}', 3), t('toString')]).toEqual(['3. Schritt', 'toString']);
  });

  it('can be had in English, after which translations apply again, also when making it fails', () => {
    setTranslations({ yes: 'ja' });
    expect(inEnglish(() => t('yes'))).toBe('yes');
    const failing = () =>
      inEnglish(() => {
        throw new Error('failed');
      });
    expect(failing).toThrow('failed');
    expect(t('yes')).toBe('ja');
  });
});
