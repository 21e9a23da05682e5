import type { Experiment, TrainingSpec } from '../../../src/experiment/experiment';
import type { AdapterSpec } from '../../../src/experiment/methods';
import type { StudyRun } from '../../../src/study/study-run';
import { metrics, spec } from '../extension/run-maker';
import { auroraSpec, loraSpec } from '../specs';

export const aurora = (over: Parameters<typeof auroraSpec>[0] = {}): AdapterSpec =>
  auroraSpec({ rank: 2, alpha: 4, ...over });
export const lora = (rank = 2): AdapterSpec => loraSpec({ rank, alpha: 2 * rank });

let made = 0;

/** A finished run with this adapter and seed, as a study reads it. */
export function studyRun(
  adapter: AdapterSpec,
  seed: number,
  accuracy: number,
  more: Partial<StudyRun> & { training?: Partial<TrainingSpec>; data?: Partial<Experiment['data']> } = {},
): StudyRun {
  const { training, data, ...rest } = more;
  const id = `20260101T0000${String(made++ % 60).padStart(2, '0')}Z-${String(made).padStart(8, '0')}`;
  return {
    folder: `/runs/${id}`,
    name: id,
    spec: {
      ...spec,
      data: { ...spec.data, validation: '/data/validation.jsonl', ...data },
      adapter,
      training: { ...spec.training, ...training, seed },
    },
    step: 100,
    chosenBy: [],
    metrics: { ...metrics(accuracy), examples: 1000 },
    parameters: adapter.method === 'none' ? 0 : adapter.method === 'lora' ? 3072 * adapter.rank : 6224,
    stepSeconds: 0.1 + 0.001 * seed,
    memory: 300 * 2 ** 20,
    place: 'onnxruntime, cpu',
    ...rest,
  };
}

/** The outcomes of `examples` examples, of which `right` are correct, in an order rotated by `salt`. */
export function outcomes(examples: number, right: number, salt = 0): NonNullable<StudyRun['examples']> {
  const correct = Uint8Array.from({ length: examples }, (_, i) =>
    (i * 7 + salt) % examples < right ? 1 : 0,
  );
  return { data: 'sum', correct, loss: Float64Array.from(correct, (c) => (c ? 0.1 : 2)) };
}
