import { expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { jsonText } from '../../../src/base/json-text';

it('an error keeps the file and the reason when a name between them is long', () => {
  const { message, hint } = new AuroraError(
    'model',
    `/models/a.onnx has a node ${'n'.repeat(5e6)}, which is not supported.`,
    'x'.repeat(1e6),
  );
  expect(message).toMatch(
    /^\/models\/a\.onnx has a node n+ … \([\d]+ characters\) … n+, which is not supported\.$/,
  );
  expect(message.length + hint!.length).toBeLessThan(66_000);
  expect(new AuroraError('model', 'short', 'hint')).toMatchObject({ message: 'short', hint: 'hint' });
  expect(new AuroraError('model', 'short').hint).toBeUndefined();
});

it('a value that JSON.parse reads has a text at any depth', () => {
  const deep: unknown = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000));
  expect(jsonText(deep)).toBe('a value that is nested too deeply');
  expect(jsonText([1, 'x'])).toBe('[1,"x"]');
  expect(jsonText(undefined)).toBe('missing');
});
