import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { openSession } from '../engine/onnxruntime/session';
import { saveByReference } from '../graph/file/save';
import type { HostTensor, HostTensors } from '../graph/tensor-infos';
import type { PlayVariant } from '../protocol/play-question';
import { type AnswerGraph, answersOnly } from './graph';
import type { OpenOptions } from './open-subject';

/** A model that answers, in one session for both variants. */
export interface AnswerSession {
  variants: readonly PlayVariant[];
  run(inputs: HostTensors, variant: PlayVariant): Promise<{ answer: HostTensor; seconds: number }>;
  dispose(): Promise<void>;
}

/**
 * @param prepack true if it is worth a second copy of the weights: for short inputs, which are many
 * @throws AuroraError 'model' with the runtime's message if it rejects the model
 */
export async function openAnswers(
  path: string,
  graph: AnswerGraph,
  { folder, threads }: OpenOptions,
  prepack = true,
): Promise<AnswerSession> {
  const saved = saveByReference(answersOnly(graph), join(folder, 'model'), 'answer.onnx');
  const session = await openSession(saved, { threads, prepack }).catch((e: Error) => {
    if (e instanceof AuroraError) throw e;
    throw new AuroraError(
      'model',
      `ONNX Runtime cannot load ${path}: ${e.message}`,
      'Check that the unmodified file loads in ONNX Runtime; `aurora inspect` lists what is in it.',
      { cause: e },
    );
  });
  return {
    variants: graph.variants,
    async run(inputs, variant) {
      const name = graph.answers[variant];
      const feeds = { ...inputs, ...graph.parameters[variant] };
      const began = performance.now();
      const out = await session.run(feeds, [name]);
      return { answer: out[name], seconds: (performance.now() - began) / 1000 };
    },
    dispose: () => session.dispose(),
  };
}
