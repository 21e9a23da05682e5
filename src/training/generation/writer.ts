import { tensorName } from '../../adapters/inject';
import { SCALED_AFTER } from '../../architectures/blocks/network';
import { DType } from '../../graph/dtype';
import { nameTable } from '../../base/names';
import type { Dataset, TextDataset } from '../../data/dataset';
import type { Executable, Evaluator, Parameters } from '../../engine/stepper';
import { decoderGraphs, type DecoderGraphs } from '../../tasks/decoder-graphs';
import type { Writing } from '../../tasks/kind';
import type { MicroBatches } from '../micro-batch/micro-batches';
import { isOutOfMemory } from '../micro-batch/out-of-memory';
import type { Task } from '../task/task';
import { CachedModel, type Sessions } from './cached-model';
import { nextTokens } from './next';
import { write, writeCached, type Written } from './write';

/** Writes texts with a task's model. */
export interface Writer {
  write(writings: readonly Writing[]): Promise<Written>;
  dispose(): Promise<void>;
}

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
    write: (writings) => write(writings, batchSize, again),
    dispose: () => Promise.resolve(),
  };
  const graphs = evaluator.openGraph && graphsOf(task);
  // Prompts that cannot be masked begin with a cache without elements, which WebGPU does not have.
  if (!graphs || (!graphs.masks && micro.place.device === 'webgpu')) return plain;
  const sessions = await openSessions(evaluator, graphs);
  if (!sessions) return plain;
  const trained = nameTable(
    task.adapters.flatMap((a) =>
      a.tensors.map(({ name, dims }) => {
        const tensor = tensorName(a, name);
        return [tensor, { dtype: DType.float, dims, data: parameters.get(tensor)! }] as const;
      }),
    ),
  );
  const { padId } = like as TextDataset;
  const model = new CachedModel(graphs, sessions, trained, padId);
  return {
    async write(writings) {
      const written: Written = [];
      const most = Math.min(batchSize, micro.limit('evaluation').examples);
      for (const together of groups(writings, most, graphs.masks)) {
        // The size that all beams of a text have in the end.
        const examples = together.map((i) => ({ size: sizeOf(writings[i]), row: 0 }));
        const own: Dataset = { ...like, examples };
        await micro.run('evaluation', own, [...together.keys()], async (parts) => {
          for (const { indices } of parts) {
            const texts = await writeCached(
              indices.map((i) => writings[together[i]]),
              model,
            );
            indices.forEach((i, at) => (written[together[i]] = texts[at]));
          }
        });
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
