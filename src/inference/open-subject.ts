import { permutation, Stream } from '../base/random';
import type { Example } from '../data/dataset';
import type { List } from '../data/list';
import { openEvaluator } from '../engine/open-task';
import type { InputShape } from '../experiment/tasks/kind';
import { describeTask } from '../experiment/tasks/registry';
import { findLinearLayers } from '../graph/layers/linear';
import type { Graph } from '../graph/model';
import { withAdaptedConvolutions } from '../peft/adapted-convolutions';
import type { PlaySample } from '../protocol/playground';
import type { Input, TaskKind } from '../tasks/kind';
import type { Sample } from '../tasks/task-data';
import type { PlaySource, PlayVariant } from '../protocol/play-question';
import { openTrained, type Trained } from '../training/checkpoint/trained-run';
import { withoutAdapters } from '../training/task/adapted-model';
import { requireFinite } from '../training/task/finite-output';
import {
  type AddedAdapter,
  ownHead,
  readAdded,
  requireSameModel,
  runName,
  stackOn,
  weighable,
  type Weighing,
  weighingFacts,
} from './adapter-stack';
import { black, questionTexts, requireImage, requireTexts, WARM_UP } from './questions';
import { runPainter } from './run-drawing';
import { factsOf } from './run-facts';
import { type Evaluate, languageModel } from './run-language';
import type { Classifier, Question, Subject } from './subject';

export interface OpenOptions {
  /** For temporary graphs; removed by the caller afterwards. */
  folder: string;
  /** Runtime threads; 0 for one per core. */
  threads: number;
}

/**
 * A run's checkpoint, and its model with only the trained head, in one session; also with the adapters of other runs.
 *
 * @throws AuroraError for an adapter that cannot be added to it
 */
export async function openRun(
  { run, at, weight, adapters: others }: Extract<PlaySource, { kind: 'run' }>,
  { folder, threads }: OpenOptions,
): Promise<Subject> {
  const added = readAdded(others);
  const trained = await openTrained(run, at, folder, (kind) => kind.withoutRows);
  const { task } = trained;
  const model = withAdaptedConvolutions(
    task.model,
    added.map(({ from }) => from),
  );
  const weighing = weighingOf(trained, model.graph, weight, added);
  const { data, kind } = task;
  const { adapters, parameters } = weighing?.stack ?? { ...trained, adapters: task.adapters };
  const evaluator = await openEvaluator(model, task.infos, { ...task.graph, adapters }, folder, {
    threads,
  });
  const values = { adapted: parameters, base: withoutAdapters(adapters, parameters) };
  const evaluate: Evaluate = async (example, variant, length) => {
    const dataset = { ...data.train.dataset, examples: [example] };
    const feeds = await task.feeds(dataset, [0], length);
    const began = performance.now();
    const { logits } = await evaluator.evaluate(feeds, values[variant]);
    return { logits: logits.data as Float32Array, seconds: (performance.now() - began) / 1000 };
  };
  const loaded = {
    ...weighable(weighing),
    variants: adapters.length > 0 ? (['adapted', 'base'] as const) : (['adapted'] as const),
    sample: samples(trained),
    dispose: () => evaluator.dispose(),
  };
  const combined = <T extends { facts: Subject['facts'] }>(subject: T): T => ({
    ...subject,
    facts: { ...subject.facts, ...weighingFacts(weighing) },
  });
  if (describeTask(task.spec.task.type).answer === 'picture')
    return { ...loaded, ...combined(runPainter(trained, evaluator, values, { folder, threads })) };
  const { ask } = kind;
  return ask
    ? { ...loaded, ...combined(await classifier(trained, ask, evaluate)) }
    : { ...loaded, ...combined(await languageModel(trained, evaluate)) };
}

/**
 * Undefined for a run's own adapter as it was trained.
 *
 * @param graph the task's, perhaps with convolutions as linear layers
 */
function weighingOf(
  { run, task, parameters }: Trained,
  graph: Graph,
  weight = 1,
  added: readonly AddedAdapter[],
): Weighing | undefined {
  if (weight === 1 && added.length === 0) return undefined;
  const name = runName(run);
  if (task.head && added.length > 0) throw ownHead(name);
  requireSameModel(run, added);
  const own = { name, adapters: task.adapters, parameters, weight };
  const layers = graph === task.model.graph ? task.layers : findLinearLayers(graph);
  return stackOn({ graph, layers }, [own], added);
}

async function classifier(
  trained: Trained,
  ask: NonNullable<TaskKind['ask']>,
  evaluate: Evaluate,
): Promise<Pick<Classifier, 'facts' | 'answer'>> {
  const { data, spec } = trained.task;
  const facts = factsOf(trained);
  const warmUp = {
    ...WARM_UP,
    ...(facts.image && { image: black(facts.image) }),
    text: facts.mask ?? WARM_UP.text,
  };
  const run = async (example: Example, variant: PlayVariant) => {
    const { compared } = trained.task.kind;
    if (!compared) return evaluate(example, variant);
    const kept: number[] = [];
    let total = 0;
    for (const sequence of compared.sequences(example)) {
      const { logits, seconds } = await evaluate(sequence, variant);
      requireFinite(logits);
      kept.push(...compared.keep(sequence, logits));
      total += seconds;
    }
    return { logits: Float32Array.from(kept), seconds: total };
  };
  await run(ask(warmUp, data, spec.model.maxLength).example, 'adapted');
  return {
    facts,
    async answer(question, variant) {
      const { example, answer } = ask(inputOf(facts.input, question), data, spec.model.maxLength);
      const { logits, seconds } = await run(example, variant);
      requireFinite(logits);
      const read = { tokens: example.size, truncated: example.truncated ?? false };
      return { ...answer(logits), seconds, ...(facts.input !== 'image' && read) };
    },
  };
}

/** @throws AuroraError 'usage' if the model reads something else */
function inputOf(input: InputShape, question: Question): Input {
  if (input === 'image') return { text: '', image: requireImage(question) };
  const texts = questionTexts(question);
  requireTexts(input, texts);
  return texts;
}

/** The data are read on first use: they may be large, or gone. */
function samples({ run: { spec }, task: { kind, data } }: Trained): () => Promise<PlaySample> {
  let rows: List<Sample> | undefined;
  let order: number[] = [];
  let next = 0;
  return async () => {
    rows ??= await kind.samples(spec, data);
    if (order.length === 0) order = permutation(rows.length, spec.training.seed, Stream.trials);
    const { image, ...sample } = rows.at(order[next++ % order.length])!;
    return { ...sample, ...(image && { image: await image() }) };
  };
}
