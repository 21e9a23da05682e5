import { loadModelFrom } from '../architectures/load';
import { modelSource } from '../architectures/model-source';
import { checkVocabulary, loadTokenizer } from '../data/text/tokenizer';
import { probe } from '../engine/onnxruntime/probe';
import { tokenizerBeside } from '../files/tokenizer-path';
import { GraphBuilder } from '../graph/builder';
import { DType } from '../graph/dtype';
import type { Model, ValueInfo } from '../graph/model';
import { prepareModel } from '../graph/prepare';
import { cacheInputs } from '../graph/without-past';
import type { AdapterFolder } from '../peft/adapter-folder';
import { modelName, type PlaySource } from '../protocol/play-question';
import type { PlayFacts } from '../protocol/playground';
import { modelInputs } from '../tasks/task-data';
import { embeddingRows } from '../tasks/text/text-data';
import { type AddedAdapter, readAdded, weighable, weighingFacts } from './adapter-stack';
import { findAnswer, unfit, whatItReads } from './answer';
import { openTexts, type Scale } from './classification';
import { openPipeline } from './draw-pipeline';
import { adaptedGraph, type AnswerGraph, followWeights, plainGraph } from './graph';
import { openImages } from './image-answers';
import { fillsMasks, openLanguageModel, openMasked } from './language';
import { type ModelFiles, readModelFiles } from './model-files';
import type { OpenOptions } from './open-subject';
import type { Subject } from './subject';

/** A model opened directly: the parts that all kinds share. */
export interface OpenedModel {
  path: string;
  inputs: readonly ValueInfo[];
  graph: AnswerGraph;
  files: ModelFiles;
  adapter?: AdapterFolder;
  facts: Pick<PlayFacts, 'name' | 'base' | 'samples' | 'adapters'>;
  scale: Scale;
  options: OpenOptions;
}

/**
 * An ONNX file, a folder from the hub or a pipeline, alone or with adapters from disk.
 *
 * @throws AuroraError 'model' if it cannot answer anything, 'adapter' for an adapter that does not fit
 */
export async function openModel(
  play: Extract<PlaySource, { kind: 'model' }>,
  options: OpenOptions,
): Promise<Subject> {
  const source = modelSource(play.model);
  const adapters = adaptersOf(play);
  if (source.kind === 'pipeline') return openPipeline(source, adapters, options);
  const path = source.file;
  const adapter = adapters[0]?.from;
  const file = loadModelFrom(source);
  // A decoder with a cache reads each text from its beginning.
  const original = cacheInputs(file.graph).length > 0 ? prepareModel(file) : file;
  const reads = whatItReads(original, path);
  const { output, isLogits } = findAnswer(original, path, adapter !== undefined);
  // Without an adapter it runs as in its file, including fused operators.
  const model = adapter && original === file ? prepareModel(original) : original;
  const answer = await withShape(model, output, options.folder);
  if (adapter && answer.dtype !== DType.float)
    throw unfit(
      model,
      path,
      `adapters need float32, but ${answer.name} has another type`,
      'Export it in float32.',
    );
  const graph = asFloats(
    adapter ? adaptedGraph(model, answer, isLogits, adapters) : plainGraph(model, answer.name),
    answer,
  );
  const tokenizerPath = play.tokenizer ?? tokenizerBeside(path);
  const files = readModelFiles(path, tokenizerPath);
  const opened: OpenedModel = {
    path,
    inputs: modelInputs(model),
    graph,
    files,
    adapter,
    facts: {
      name: modelName(path, adapters[0]?.name),
      ...(adapter && { base: graph.sharedHead ? 'model-with-head' : 'model' }),
      samples: false,
      ...weighingFacts(graph.weighing),
    },
    scale: scaleOf(model, answer.name, files),
    options,
  };
  const open = async (): Promise<Subject> => {
    if (reads === 'images') return openImages(opened);
    const tokenizer = loadTokenizer(tokenizerPath);
    const rows = embeddingRows(model);
    if (rows !== undefined) checkVocabulary(tokenizer, rows, path);
    const rank = isLogits ? answer.shape!.length : 2;
    if (rank === 2) return openTexts(opened, tokenizer);
    if (rank === 3)
      return fillsMasks(files) ? openMasked(opened, tokenizer) : openLanguageModel(opened, tokenizer);
    throw unfit(model, path, `${answer.name} has ${rank} axes`);
  };
  return { ...(await open()), ...weighable(graph.weighing, () => followWeights(graph)) };
}

/** The model's own adapter, and others. */
const adaptersOf = ({
  adapter,
  weight = 1,
  adapters = [],
}: Extract<PlaySource, { kind: 'model' }>): AddedAdapter[] =>
  readAdded([...(adapter === undefined ? [] : [{ path: adapter, weight }]), ...adapters]);

/** The shape of an output. If a file does not declare it, it is found by running the model. */
async function withShape(model: Model, output: ValueInfo, near: string): Promise<ValueInfo> {
  if (output.shape && output.dtype !== 0) return output;
  const info = (await probe(model, near)).get(output.name)!;
  return { ...output, dtype: info.dtype, shape: info.shape };
}

/** Answers in float32, whatever the model's precision. */
function asFloats(graph: AnswerGraph, answer: ValueInfo): AnswerGraph {
  if (answer.dtype === DType.float) return graph;
  const { model } = graph;
  const g = new GraphBuilder({ ...model.graph, nodes: [...model.graph.nodes] }, '/play');
  const floats = g.op('Cast', [answer.name], { to: DType.float });
  return { ...graph, model: { ...model, graph: g.graph }, answers: { adapted: floats, base: floats } };
}

function scaleOf(model: Model, answer: string, { config }: ModelFiles): Scale {
  const last = model.graph.nodes.find((n) => n.outputs.includes(answer));
  if (last?.opType === 'Softmax' || last?.opType === 'Sigmoid') return 'probabilities';
  return config.problem_type === 'multi_label_classification' ? 'each-label' : 'one-label';
}
