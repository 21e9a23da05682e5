import { AuroraError } from '../../base/errors';
import type { TokensSpec, TrainedSpec } from '../../experiment/methods';
import { findEmbeddings } from '../../graph/layers/embeddings';
import { type LinearLayer, pytorchPathOf } from '../../graph/layers/linear';
import type { Graph } from '../../graph/model';
import { layersBeside } from '../../graph/reach';
import { methodOf } from '../methods/registry';
import { rowsOfTokens } from '../methods/trainable-tokens';
import type { LayerAdapter } from './select';
import { matchTargets } from './targets';

/** PEFT's name of the tensor beside another method: in a wrapper of the embedding. */
const BESIDE = 'token_adapter.trainable_tokens_delta';

/**
 * Adapters that train rows of the embedding: those of `trainableTokenIndices` beside another method, or alone.
 * A language head with the same weight is included.
 *
 * @param layers of the base model, with their paths in PyTorch
 * @throws AuroraError 'targets' for a model without such an embedding, or tokens that it does not have
 */
export function tokenRows(
  graph: Graph,
  layers: readonly LinearLayer[],
  spec: TrainedSpec,
  output?: string,
): LayerAdapter[] {
  const isAlone = 'tokenIndices' in spec;
  const tokenIndices = isAlone
    ? spec.tokenIndices
    : 'trainableTokenIndices' in spec
      ? spec.trainableTokenIndices
      : undefined;
  if (tokenIndices === undefined) return [];
  const embedding = embeddingOf(graph, layers, isAlone ? spec.targetModules : undefined);
  requireTokens(embedding, tokenIndices, isAlone ? 'tokenIndices' : 'trainableTokenIndices');
  const own: TokensSpec = isAlone ? spec : rowsOfTokens(tokenIndices, embedding.path);
  const heads = layers.filter((l) => l.weight === embedding.weight);
  if (heads.length < embedding.sharedWith.length || !embedding.plain)
    throw new AuroraError(
      'targets',
      `The weight of ${embedding.path} is read by ${embedding.sharedWith.join(', ')} too, so rows of it cannot be trained for the embedding alone.`,
      'Leave out adapter.trainableTokenIndices, or use a model whose embedding is shared with its language head at most.',
    );
  const beside = new Set(output === undefined ? [] : layersBeside(graph, heads, output));
  const on = (layer: LinearLayer) => ({ layer, spec: own, widest: layer });
  // The head reads the same values: merging the embedding changes both.
  const table = on({ ...embedding, sharedWith: [] });
  const tensors = methodOf(own).tensors(table);
  const tied = heads
    .filter((l) => !beside.has(l.path))
    .map((layer): LayerAdapter => ({
      ...on(layer),
      tensors,
      owners: { rows: embedding.path },
      beside: 'tied',
    }));
  if (isAlone) return [{ ...table, tensors }, ...tied];
  return [{ ...table, tensors: tensors.map((t) => ({ ...t, peftName: BESIDE })), beside: 'rows' }, ...tied];
}

/** The only embedding of the model's tokens, or the one that targets name. */
function embeddingOf(
  graph: Graph,
  layers: readonly LinearLayer[],
  targets: TokensSpec['targetModules'] | undefined,
): LinearLayer {
  const all = findEmbeddings(graph);
  const paths = all.map((l) => l.path);
  const isAny = targets === undefined || targets === 'all-linear';
  const matched = isAny ? paths : matchTargets(paths, { targetModules: targets }).matched;
  const [path] = matched;
  if (matched.length === 1)
    return withPrefix(
      all.find((l) => l.path === path)!,
      layers,
    );
  throw new AuroraError(
    'targets',
    paths.length === 0
      ? 'The model has no embedding whose rows its input_ids choose, so no tokens can be trained.'
      : `adapter.targetModules must name one embedding of the model: ${paths.join(', ')}.`,
    'Leave out adapter.trainableTokenIndices, or choose another method.',
  );
}

/** With the path in PyTorch, whose prefix is that of the other layers. */
function withPrefix(embedding: LinearLayer, layers: readonly LinearLayer[]): LinearLayer {
  const prefixes = layers
    .filter((l) => pytorchPathOf(l) !== l.path && pytorchPathOf(l).endsWith(l.path))
    .map((l) => pytorchPathOf(l).slice(0, -l.path.length));
  return prefixes.length > 0 ? { ...embedding, pytorchPath: prefixes[0] + embedding.path } : embedding;
}

function requireTokens({ path, inFeatures }: LinearLayer, tokens: readonly number[], key: string): void {
  if (tokens.length === 0)
    throw new AuroraError(
      'targets',
      `adapter.${key} is empty, so nothing would be trained.`,
      'Enter the ids that the tokenizer gives to the tokens.',
    );
  const wrong = tokens.find((t, i) => t >= inFeatures || tokens.indexOf(t) !== i);
  if (wrong === undefined) return;
  throw new AuroraError(
    'targets',
    wrong >= inFeatures
      ? `adapter.${key} has ${wrong}, but ${path} has rows for the tokens 0 to ${inFeatures - 1}.`
      : `adapter.${key} has ${wrong} twice.`,
    'Enter the ids that the tokenizer gives to the tokens.',
  );
}
