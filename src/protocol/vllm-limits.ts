import { t } from '../base/l10n';
import type { Part } from './reports/report';

/**
 * Limits of vLLM on a LoRA in PEFT's files, from its sources of 2026: PEFTHelper.validate_legal (vllm/lora/peft_helper.py)
 * for rank, DoRA and modules_to_save; LoRAConfig (vllm/config/lora.py) for the ranks that --max-lora-rank takes;
 * parse_fine_tuned_lora_name (vllm/lora/utils.py), which refuses all tensors but lora_A and lora_B, biases since pull
 * request 25807 of October 2025; LoRALayerWeights.from_config (vllm/lora/lora_weights.py), which scales every module by
 * lora_alpha and r; and the column LoRA of docs/models/supported_models.md.
 */
export interface VllmFacts {
  /** The `model_type` of config.json. */
  modelType: string;
  /** The largest rank of a module. */
  rank: number;
  /** True if modules are scaled differently than `lora_alpha` and `r` say. */
  hasOwnScales: boolean;
  /** Paths of adapted layers of the head for language. */
  outputLayers: readonly string[];
  hasBias: boolean;
  isDora: boolean;
  /** True if the files have a trained head. */
  hasHead: boolean;
}

/** One limit, by the name of the setting that it is about. */
export interface VllmLimit {
  limit: string;
  met: boolean;
  words: string;
}

/** Decoders whose classes in vLLM take no LoRA. */
const WITHOUT_LORA: readonly string[] = ['bloom', 'falcon', 'gpt2', 'gpt_neox', 'gptj', 'mpt'];

/** The values of --max-lora-rank, of which 16 is the default. */
const MOST_RANKS = [1, 8, 16, 32, 64, 128, 256, 320, 512] as const;
const DEFAULT_RANK = 16;

/** The limits of vLLM, and whether an adapter keeps them. */
export const vllmLimits = (facts: VllmFacts): VllmLimit[] => [
  modelLimit(facts),
  rankLimit(facts),
  targetsLimit(facts),
  {
    limit: 'alpha_pattern',
    met: !facts.hasOwnScales,
    words: facts.hasOwnScales
      ? t(
          'vLLM scales every module by lora_alpha / r, and ignores rank_pattern and alpha_pattern: it would load this adapter and compute something else.',
        )
      : t('every module has the scale of lora_alpha and r'),
  },
  {
    limit: 'lora_bias',
    met: !facts.hasBias,
    words: facts.hasBias
      ? t('vLLM refuses a LoRA with biases since October 2025 (0.11.1).')
      : t('without biases'),
  },
  {
    limit: 'modules_to_save',
    met: !facts.hasHead,
    words: facts.hasHead
      ? t('vLLM refuses an adapter with a trained head (modules_to_save).')
      : t('without a trained head'),
  },
  {
    limit: 'use_dora',
    met: !facts.isDora,
    words: facts.isDora
      ? t('vLLM does not load DoRA: merge it with --as safetensors.')
      : t('without DoRA’s magnitudes'),
  },
];

const modelLimit = ({ modelType }: VllmFacts): VllmLimit => {
  const met = !WITHOUT_LORA.includes(modelType);
  return {
    limit: 'model',
    met,
    words: met
      ? t('{0} takes a LoRA', modelType)
      : t('vLLM takes no LoRA on {0}: merge it with --as safetensors.', modelType),
  };
};

function rankLimit({ rank }: VllmFacts): VllmLimit {
  const least = MOST_RANKS.find((most) => most >= rank);
  if (rank <= DEFAULT_RANK)
    return { limit: 'rank', met: true, words: t('rank {0}, at most {1}', rank, DEFAULT_RANK) };
  return {
    limit: 'rank',
    met: false,
    words:
      least === undefined
        ? t('vLLM loads no rank above {0}, and this is {1}.', MOST_RANKS.at(-1)!, rank)
        : t(
            'Rank {0} is above vLLM’s default of {1}: start it with --max-lora-rank {2}.',
            rank,
            DEFAULT_RANK,
            least,
          ),
  };
}

const targetsLimit = ({ outputLayers }: VllmFacts): VllmLimit => ({
  limit: 'target_modules',
  met: outputLayers.length === 0,
  words:
    outputLayers.length === 0
      ? t('linear layers inside the model')
      : t('Not all classes of vLLM take a LoRA on {0}.', outputLayers.join(', ')),
});

/** The limits that are not kept, in sentences; empty if vLLM loads it as it is. */
export const unmetLimits = (limits: readonly VllmLimit[]): string[] =>
  limits.filter(({ met }) => !met).map(({ words }) => words);

/** The limits in one line, before the files are written. */
export function limitsText(limits: readonly VllmLimit[]): string {
  const unmet = unmetLimits(limits);
  return unmet.length === 0
    ? t('vLLM: within its limits ({0}).', limits.map(({ words }) => words).join('; '))
    : unmet.join(' ');
}

/** The limits as a table. */
export const limitsPart = (limits: readonly VllmLimit[]): Part[] => [
  { heading: t('In vLLM') },
  {
    columns: [t('limit'), t('met'), ''],
    rows: limits.map(({ limit, met, words }) => [limit, met ? t('yes') : t('no'), words]),
  },
];
