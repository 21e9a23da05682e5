import { storedTensors } from '../../adapters/stored-tensors';
import { SCALED_AFTER } from '../../architectures/blocks/network';
import { nameTable } from '../../base/names';
import type { Dataset, Example, TextDataset } from '../../data/dataset';
import type { Evaluator, Executable, Parameters } from '../../engine/stepper';
import { DType } from '../../graph/dtype';
import { decoderGraphs, type DecoderGraphs } from '../../tasks/decoder-graphs';
import type { Writing } from '../../tasks/kind';
import type { MicroBatches } from '../micro-batch/micro-batches';
import { isOutOfMemory } from '../micro-batch/out-of-memory';
import type { Task } from '../task/task';
import { CachedModel, type NewToken, type Sessions } from './cached-model';
import { beamSearch, type Decoder, greedy } from './decoders';
import { textsAtOnce } from './texts-at-once';

/** Writes texts with a task's model. */
export interface Writer {
  write(writings: readonly Writing[], watch?: WriteWatch): Promise<Written>;
  dispose(): Promise<void>;
}

/** Called before each token with the number of texts that are complete; may throw to stop. */
export type WriteWatch = (done: number) => void;

/**
 * With a cache of keys and values if the model's file has one and the engine can use it; otherwise, the model is run on
 * the whole text for each token.
 */
export async function openWriter(
  evaluator: Evaluator,
  task: Task,
  micro: MicroBatches,
  like: Dataset,
  parameters: Parameters,
): Promise<Writer> {
  const { batchSize } = task.spec.training;
  const again = nextTokens(evaluator, task, micro, like, parameters);
  const plain: Writer = {
    write: (writings, watch) => write(writings, batchSize, again, watch),
    dispose: () => Promise.resolve(),
  };
  const graphs = evaluator.openGraph && graphsOf(task);
  // Prompts that cannot be masked begin with a cache without elements, which WebGPU does not have.
  if (!graphs || (!graphs.masks && micro.place.device === 'webgpu')) return plain;
  const sessions = await openSessions(evaluator, graphs);
  if (!sessions) return plain;
  const trained = nameTable(
    storedTensors(task.adapters).map(
      ({ name, tensor: { dims } }) =>
        [name, { dtype: DType.float, dims, data: parameters.get(name)! }] as const,
    ),
  );
  const { padId } = like as TextDataset;
  const model = new CachedModel(graphs, sessions, trained, padId);
  return {
    async write(writings, watch) {
      const written: Written = [];
      let done = 0;
      const most = textsAtOnce(graphs.cache, writings, micro);
      for (const together of groups(writings, most, graphs.masks)) {
        // The size that all beams of a text have in the end.
        const examples = together.map((i) => ({ size: sizeOf(writings[i]), row: 0 }));
        const own: Dataset = { ...like, examples };
        await micro.run('writing', own, [...together.keys()], async (parts) => {
          let before = done;
          for (const { indices } of parts) {
            const texts = await writeCached(
              indices.map((i) => writings[together[i]]),
              model,
              watch && ((now) => watch(before + now)),
            );
            indices.forEach((i, at) => (written[together[i]] = texts[at]));
            before += indices.length;
          }
        });
        done += together.length;
      }
      return written;
    },
    async dispose() {
      await sessions.next.dispose();
      await sessions.first?.dispose();
    },
  };
}

/** Made once for all sets that a run is scored on. */
const made = new WeakMap<Task['graph'], { graphs: DecoderGraphs | undefined }>();
function graphsOf({ original, graph, spec }: Task): DecoderGraphs | undefined {
  // A cache would keep the positions of a text from before it was so long.
  if (spec.model.maxLength > Number(original.metadata.get(SCALED_AFTER) ?? Infinity)) return undefined;
  const known = made.get(graph) ?? { graphs: decoderGraphs(original, graph) };
  made.set(graph, known);
  return known.graphs;
}

/** Undefined if the device cannot hold another copy of the model. */
async function openSessions(evaluator: Evaluator, graphs: DecoderGraphs): Promise<Sessions | undefined> {
  const next = await unlessFull(evaluator.openGraph!(graphs.next, 'next-token.onnx'));
  if (!next || !graphs.first) return next && { next };
  const first = await unlessFull(evaluator.openGraph!(graphs.first, 'first-tokens.onnx'));
  if (first) return { next, first };
  await next.dispose();
  return undefined;
}

const unlessFull = (opening: Promise<Executable>): Promise<Executable | undefined> =>
  opening.catch((e: unknown) => {
    if (isOutOfMemory(e)) return undefined;
    throw e;
  });

const sizeOf = ({ prompt, maxTokens, beams }: Writing): number => beams * (prompt.length + maxTokens);

/**
 * Groups of texts that are written side by side.
 *
 * @param most of their beams, but at least one text
 * @param masks true if their prompts may differ in length
 */
export function groups(writings: readonly Writing[], most: number, masks: boolean): number[][] {
  const made: number[][] = [];
  const open = new Map<number, number[]>();
  writings.forEach(({ prompt, beams }, i) => {
    const key = masks ? 0 : prompt.length;
    const group = open.get(key) ?? [];
    if (group.length === 0) made.push(group);
    group.push(i);
    if ((group.length + 1) * beams > most) open.delete(key);
    else open.set(key, group);
  });
  return made;
}

/** The logits of the token after each text. */
export type Next = (texts: readonly Example[]) => Promise<Float32Array[]>;

/** The new tokens of each text. */
type Written = (readonly number[])[];

const decoderOf = (writing: Writing): Decoder =>
  writing.beams === 1 ? greedy(writing) : beamSearch(writing);

/**
 * Writes several texts side by side. Each step runs the model on whole texts: without a cache of keys and values.
 *
 * @param batchSize texts that the model is run on at once
 */
export async function write(
  writings: readonly Writing[],
  batchSize: number,
  next: Next,
  watch?: WriteWatch,
): Promise<Written> {
  const decoders = writings.map(decoderOf);
  for (;;) {
    const wanted = decoders.map((decoder, i) => decoder.wanted().map((ids) => writings[i].example(ids)));
    watch?.(wanted.filter((own) => own.length === 0).length);
    const texts = wanted.flat();
    if (texts.length === 0) return decoders.map((decoder) => decoder.written());
    const logits: Float32Array[] = [];
    for (let at = 0; at < texts.length; at += batchSize)
      logits.push(...(await next(texts.slice(at, at + batchSize))));
    give(decoders, wanted, logits);
  }
}

/**
 * Writes several texts with a cache: after the prompts, each step runs the model on one token of each text, of all
 * texts at once.
 */
export async function writeCached(
  writings: readonly Writing[],
  model: CachedModel,
  watch?: WriteWatch,
): Promise<Written> {
  const decoders = writings.map(decoderOf);
  let cache = await model.read(writings.map(({ prompt }) => prompt.slice(0, -1)));
  /** The places of each decoder's texts in the cache. */
  let places = decoders.map((_, i) => i);
  for (;;) {
    const wanted = decoders.map((decoder) => decoder.wanted());
    watch?.(wanted.filter((own) => own.length === 0).length);
    const tokens = wanted.flatMap((texts, i) => {
      const continued = decoders[i].continued();
      return texts.map((ids, k): NewToken => ({ text: places[i] + continued[k], token: ids.at(-1)! }));
    });
    if (tokens.length === 0) return decoders.map((decoder) => decoder.written());
    const found = await model.next(cache, tokens);
    cache = found.cache;
    let at = 0;
    places = wanted.map((texts) => (at += texts.length) - texts.length);
    give(decoders, wanted, found.logits);
  }
}

/** Gives each decoder the logits of its texts. */
function give(
  decoders: readonly Decoder[],
  wanted: readonly (readonly unknown[])[],
  logits: readonly Float32Array[],
): void {
  let at = 0;
  decoders.forEach((decoder, i) => {
    const own = logits.slice(at, (at += wanted[i].length));
    if (own.length > 0) decoder.take(own);
  });
}

/** The loss of one token has no next token, and the engine cannot compute it. */
const SHORTEST = 2;

/** Runs a task's model on texts, padded on the right, in parts that fit into memory. */
export const nextTokens =
  (evaluator: Evaluator, task: Task, micro: MicroBatches, like: Dataset, parameters: Parameters): Next =>
  async (texts) => {
    const dataset: Dataset = { ...like, examples: [...texts] };
    return micro.run('evaluation', dataset, [...texts.keys()], async (parts) => {
      const found: Float32Array[] = [];
      for (const part of parts) {
        const length = Math.max(SHORTEST, part.length);
        const { logits } = await evaluator.evaluate(
          await task.feeds(dataset, part.indices, length),
          parameters,
        );
        const vocabulary = logits.dims.at(-1)!;
        part.indices.forEach((text, i) => {
          const last = i * length + texts[text].size - 1;
          found[text] = (logits.data as Float32Array).slice(last * vocabulary, (last + 1) * vocabulary);
        });
      }
      return found;
    });
  };
