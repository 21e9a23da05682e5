import type { DecoderFacts } from './blocks/decoder';
import { FAMILIES } from './families/family-registry';
import { readConfig } from './folder/config';
import { typeOf } from './folder/type';

/**
 * The settings of the decoder in a folder; undefined for another model, or one of a family that does not state them.
 *
 * @param path of its config.json
 * @throws AuroraError 'model' for a setting that cannot be used
 */
export function decoderFacts(path: string): { type: string; facts: DecoderFacts } | undefined {
  const config = readConfig(path);
  const type = typeOf(config);
  const facts = FAMILIES.get(type)?.facts;
  return facts && { type, facts: facts(config) };
}
