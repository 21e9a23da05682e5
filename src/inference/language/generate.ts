import { AuroraError } from '../../base/errors';
import type { Generated, GenerationSettings, PlayVariant } from '../../protocol/playground';
import { nextToken } from './sampling';
import type { LanguageModel } from '../subject';
import { TextStream } from './text-stream';

/**
 * Continues a prompt token by token. The whole text is recomputed for each token: there is no key-value cache.
 *
 * @param more gets the final parts of the text, piece by piece
 * @param stopped is checked before each token
 * @throws AuroraError 'data' for a prompt that fills the model's length
 */
export async function generate(
  model: LanguageModel,
  variant: PlayVariant,
  prompt: string,
  settings: GenerationSettings,
  more: (text: string) => Promise<void>,
  stopped: () => boolean,
): Promise<Generated> {
  const ids = promptIds(model, prompt);
  const promptTokens = ids.length;
  const stream = new TextStream(model.decode, ids);
  let seconds = 0;
  let secondsToFirst = 0;
  const made = () => ids.length - promptTokens;
  const result = (ended: Generated['ended']): Generated => ({
    text: stream.text(ids),
    tokens: made(),
    promptTokens,
    secondsToFirst,
    tokensPerSecond: seconds > 0 ? made() / seconds : 0,
    ended,
  });
  while (made() < settings.maxTokens) {
    if (stopped()) return result('stopped');
    if (model.longest !== undefined && ids.length >= model.longest) return result('full');
    const step = await model.next(ids, variant);
    const token = nextToken(step.logits, settings, made());
    seconds += step.seconds;
    if (made() === 0) secondsToFirst = step.seconds;
    if (model.ends.has(token)) return result('end');
    ids.push(token);
    const text = stream.more(ids);
    if (text !== '') await more(text);
  }
  return result('length');
}

function promptIds(model: LanguageModel, prompt: string): number[] {
  const ids = model.encode(prompt);
  if (ids.length === 0)
    throw new AuroraError('data', 'The tokenizer produces no tokens for this prompt.', 'Type some words.');
  if (model.longest !== undefined && ids.length >= model.longest)
    throw new AuroraError(
      'data',
      `The prompt has ${ids.length} tokens, and the model’s limit is ${model.longest}, including the generated ones.`,
      'Shorten the prompt.',
    );
  return ids;
}
