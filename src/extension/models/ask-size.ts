import { t } from '../../base/l10n';
import type { StepCost } from '../../protocol/step-cost';
import { askText } from '../messages/input';

/** A whole number in text, as in an input box. */
const WHOLE = /^[1-9]\d{0,6}$/;

/** Asks for the batch and, of a model that reads texts, the length. Undefined if the user canceled. */
export async function askSize(
  model: string,
  { batch, length }: Pick<StepCost, 'batch' | 'length'>,
): Promise<{ batch: number; length: number } | undefined> {
  const ask = async (prompt: string, value: number) => {
    const text = await askText({
      title: t('Estimate a Training Step: {0}', model),
      prompt,
      value: String(value),
      ignoreFocusOut: true,
      validateInput: (given) =>
        WHOLE.test(given.trim()) ? undefined : t('Enter a whole number of at least 1.'),
    });
    return text === undefined ? undefined : Number(text.trim());
  };
  const examples = await ask(t('Examples in a batch'), batch);
  if (examples === undefined) return undefined;
  const tokens = length === undefined ? 1 : await ask(t('Tokens per text'), length);
  return tokens === undefined ? undefined : { batch: examples, length: tokens };
}
