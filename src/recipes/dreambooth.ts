import { isNonlinear, isRanked, type AdapterSpec } from '../experiment/methods';
import { taskWith } from '../experiment/tasks/registry';
import { writtenPath } from '../files/hub-cache';
import { commentLines, withoutLastComma } from './draft-recipe';
import { PAPER } from './paper-data';
import { SDXL } from './model-shapes';

/**
 * The paper's training of SDXL. It states rank and alpha alone; everything else is a default of diffusers' script for
 * it.
 */
export const SCRIPT = 'examples/dreambooth/train_dreambooth_lora_sdxl.py of diffusers';
/** The steps of the command in README_sdxl.md beside it; its script has an epoch by default. */
const STEPS = 500;
const BATCH = 4;

/** The kind of task that learns pictures from texts. */
export const SUBJECT_TASK = taskWith({ input: 'text', answer: 'picture' })!;

/** A setting, its value, and the option whose default it is. */
export interface ScriptDefault {
  key: string;
  value: unknown;
  option: string;
}

export const SCRIPT_DEFAULTS: readonly ScriptDefault[] = [
  { key: 'task.resolution', value: 1024, option: '--resolution' },
  { key: 'task.centerCrop', value: false, option: '--center_crop' },
  { key: 'training.batchSize', value: BATCH, option: '--train_batch_size' },
  { key: 'training.learningRate', value: 1e-4, option: '--learning_rate' },
  // With it, the script ignores --lr_warmup_steps.
  { key: 'training.schedule', value: 'constant', option: '--lr_scheduler' },
  { key: 'training.weightDecay', value: 1e-4, option: '--adam_weight_decay' },
  { key: 'training.betas', value: [0.9, 0.999], option: '--adam_beta1, --adam_beta2' },
  { key: 'training.epsilon', value: 1e-8, option: '--adam_epsilon' },
  { key: 'training.maxGradientNorm', value: 1, option: '--max_grad_norm' },
];

/** The settings of an experiment on a subject. Paths are absolute. */
export interface SubjectDraft {
  model: string;
  /** The folder of its images, and how many there are. */
  images: string;
  count: number;
  /** "a photo of sks dog" */
  prompt: string;
  adapter: AdapterSpec;
  /** Pixels; as the script has them for SDXL if omitted. */
  resolution?: number;
}

/** The number of epochs that gives the README's steps. */
export const epochsFor = (images: number): number => Math.ceil(STEPS / Math.ceil(images / BATCH));

/** The paper's rank and alpha for AuroRA; LoRA as the script has it, with rank 4 and without a scale. */
export function subjectAdapter(spec: AdapterSpec): AdapterSpec {
  if (!isRanked(spec)) return spec;
  const targeted = { ...spec, targetModules: [...SDXL.targets] };
  if (isNonlinear(targeted)) return { ...targeted, rank: PAPER.rank, alpha: PAPER.alpha };
  const { loraRank: rank } = SDXL;
  return 'alpha' in targeted ? { ...targeted, rank, alpha: rank } : { ...targeted, rank };
}

/** The experiment as text. */
export function subjectText(file: string, draft: SubjectDraft): string {
  const { model, images, count, prompt, adapter } = draft;
  const path = (p: string) => JSON.stringify(writtenPath(file, p));
  const section = (name: string) =>
    SCRIPT_DEFAULTS.filter(({ key }) => key.startsWith(`${name}.`)).map(({ key, value }) => {
      const own = key === 'task.resolution' ? (draft.resolution ?? value) : value;
      return `${JSON.stringify(key.slice(name.length + 1))}: ${listed(own)},`;
    });
  const source = `// Defaults of ${SCRIPT}.`;
  const lines = [
    ...[
      `DreamBooth, as the AuroRA paper (${PAPER.source}) adapts SDXL. It states rank ${PAPER.rank} and alpha ${PAPER.alpha} alone: the other values are defaults of diffusers, or this program’s.`,
    ].flatMap(commentLines),
    '{',
    `  "model": { "path": ${path(model)} },`,
    '  "task": {',
    ...indented([`"type": ${JSON.stringify(SUBJECT_TASK)},`, `"instancePrompt": ${JSON.stringify(prompt)},`, source, ...section('task')]), // prettier-ignore
    '  },',
    `  "data": { "train": ${path(images)} },`,
    '  "adapter": {',
    ...indented(adapterLines(adapter)),
    '  },',
    '  "training": {',
    ...indented([
      `// For ${count} ${count === 1 ? 'image' : 'images'}, about the ${STEPS} steps of README_sdxl.md beside it.`,
      `"epochs": ${epochsFor(count)},`,
      source,
      ...section('training'),
      '// This program’s: pictures of the subject, drawn while it is learned.',
      `"pictures": { "prompts": [${JSON.stringify(prompt)}], "every": 100 },`,
      '"seed": 42,',
    ]),
    '  }',
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

/** JSON with spaces between the items of a list. */
const listed = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map((v) => JSON.stringify(v)).join(', ')}]` : JSON.stringify(value);

const indented = (lines: readonly string[]): string[] => withoutLastComma(lines).map((line) => `    ${line}`);

function adapterLines(adapter: AdapterSpec): string[] {
  const { method, ...settings } = adapter;
  const shown = ['rank', 'alpha', 'targetModules'] as const;
  const values = settings as Partial<Record<(typeof shown)[number], unknown>>;
  return [
    `"method": ${JSON.stringify(method)},`,
    ...shown.flatMap((key) => (values[key] === undefined ? [] : [`"${key}": ${listed(values[key])},`])),
  ];
}
