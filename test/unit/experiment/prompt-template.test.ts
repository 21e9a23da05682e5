import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inTemplate, outOfTemplate } from '../../../src/experiment/prompt-template';

it('a text is found again in every template that it was put into', () =>
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 2, maxLength: 4 }), fc.string(), (parts, text) => {
      const template = parts.join('{text}');
      fc.pre(
        !parts.some((part) => part.includes('{text}')) && template.split('{text}').length === parts.length,
      );
      expect(outOfTemplate(template, inTemplate(template, text))).toBe(text);
    }),
  ));

it('a text with the commands of a replacement is put into a template as it is', () =>
  expect(inTemplate('Q: {text}\nA:', '$& {text}')).toBe('Q: $& {text}\nA:'));
