import type { BudgetModule } from '../adapters/budget/budget';
import { linear, times } from './layers';
import type { PaperModel } from './models';

/** Transformer encoders of one width: four attention projections of h × h and a feed-forward of 4h per layer. */
interface Encoder {
  layers: number;
  hidden: number;
}

const BASE: Encoder = { layers: 12, hidden: 768 };
const LARGE: Encoder = { layers: 24, hidden: 1024 };

function encoderModules({ layers, hidden }: Encoder, prefix: string, attention: string): BudgetModule[] {
  return times(layers, (i) => {
    const at = `${prefix}.${i}`;
    return [
      ...['query', 'key', 'value'].map((name) =>
        linear(`${at}.attention.${attention}.${name}`, hidden, hidden),
      ),
      linear(`${at}.attention.output.dense`, hidden, hidden),
      linear(`${at}.intermediate.dense`, hidden, 4 * hidden),
      linear(`${at}.output.dense`, 4 * hidden, hidden),
    ];
  });
}

/** Weights and biases of the linear layers, and two layer norms per layer. */
const encoderParameters = ({ layers, hidden: h }: Encoder): number =>
  layers * (4 * (h * h + h) + (4 * h * h + 4 * h) + (4 * h * h + h) + 2 * 2 * h);

/** 50,265 words, 514 positions and 1 segment, each of width h, and a layer norm. RobertaModel without its pooler. */
const robertaParameters = (e: Encoder): number => (50_265 + 514 + 1 + 2) * e.hidden + encoderParameters(e);

/** Patches of 16 × 16 × 3, a class token, 197 positions, the last layer norm. ViTModel without its pooler. */
const vitParameters = (e: Encoder): number =>
  (16 * 16 * 3 + 1 + 1 + 197 + 2) * e.hidden + encoderParameters(e);

const roberta = (size: 'base' | 'large', e: Encoder): PaperModel => ({
  id: `roberta-${size}`,
  name: `RoBERTa-${size === 'base' ? 'Base' : 'Large'}`,
  modules: encoderModules(e, 'roberta.encoder.layer', 'self'),
  parameters: robertaParameters(e),
  targets: ['query', 'value'],
  loraRank: 8,
  source: `RoBERTa (arXiv 1907.11692), ${e.layers} layers of width ${e.hidden}; the paper adapts query and value for GLUE.`,
});

const vit = (size: 'base' | 'large', e: Encoder): PaperModel => ({
  id: `vit-${size}`,
  name: `ViT-${size === 'base' ? 'Base' : 'Large'}`,
  modules: encoderModules(e, 'vit.encoder.layer', 'attention'),
  parameters: vitParameters(e),
  targets: ['query', 'value'],
  loraRank: 16,
  source: `ViT (arXiv 2010.11929), ${e.layers} layers of width ${e.hidden}, 224 × 224 images in patches of 16; the paper adapts query and value.`,
});

export const ROBERTA_BASE = roberta('base', BASE);
export const ROBERTA_LARGE = roberta('large', LARGE);
export const VIT_BASE = vit('base', BASE);
export const VIT_LARGE = vit('large', LARGE);
