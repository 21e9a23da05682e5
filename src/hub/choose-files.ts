import { AuroraError } from '../base/errors';
import { own } from '../base/names';
import { PIPELINE_INDEX } from '../files/model-path';
import { TOKENIZER_NAMES } from '../files/tokenizer-path';

/** A file of a repository. */
export interface ListedFile {
  /** In the repository, with forward slashes. */
  path: string;
  /** Bytes. */
  size: number;
}

/** The files of a model's repository that training needs. */
export interface ModelFiles {
  /** The model: empty for the repository as a whole, which may be a pipeline, otherwise its ONNX file. */
  model: string;
  /** The tokenizer (tokenizer.json, otherwise vocab.txt or vocab.json) and preprocessor_config.json, if they are there. */
  tokenizer?: string;
  preprocessor?: string;
  /** The files to download: first those that describe the model, then its weights. */
  files: ListedFile[];
  /** The files with the weights, in one precision. */
  weights: string[];
}

/** The files that the trainer and the exports read beside the weights; model cards state the license. */
const BESIDE = new Set([
  'config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
  'preprocessor_config.json',
  'README.md',
]);
/** The files of a tokenizer without tokenizer.json. */
const OLD_TOKENIZER = ['vocab.txt', 'vocab.json', 'merges.txt', 'added_tokens.json'];
const LICENSE = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i;

const ONE_FILE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-\d+-of-(\d+)\.safetensors$/;

/**
 * Chooses the files of a model's repository that training needs: the small files that describe the model, and its
 * weights in one precision, which are those that transformers' from_pretrained reads without a `variant`. Where there
 * are no safetensors, that is an ONNX file with its data. A diffusers pipeline needs each component.
 *
 * @param named an ONNX file of the repository, which is used instead
 * @throws AuroraError 'model' if nothing can be used, listing the existing files
 */
export function chooseModelFiles(repo: string, all: readonly ListedFile[], named?: string): ModelFiles {
  if (named === undefined && all.some(({ path }) => path === PIPELINE_INDEX))
    return choosePipelineFiles(
      repo,
      all,
      all.filter(({ path }) => LICENSE.test(path) || path === 'README.md'),
    );
  const found = named === undefined ? weightsIn(repo, all) : onnxWith(repo, all, named);
  const { model, weights } = found;
  const folders = [...new Set([folderOf(model), ''])];
  const paths = new Set(all.map(({ path }) => path));
  const nearest = (name: string) => folders.map((folder) => folder + name).find((path) => paths.has(path));
  const tokenizer = TOKENIZER_NAMES.map(nearest).find((path) => path !== undefined);
  const isOld = tokenizer !== undefined && !tokenizer.endsWith(TOKENIZER_NAMES[0]);
  const names = isOld ? new Set([...BESIDE, ...OLD_TOKENIZER]) : BESIDE;
  const beside = all.filter(
    ({ path }) =>
      LICENSE.test(path) ||
      folders.some((folder) => path.startsWith(folder) && names.has(path.slice(folder.length))),
  );
  const preprocessor = nearest('preprocessor_config.json');
  return {
    model,
    tokenizer,
    preprocessor,
    files: [...beside, ...all.filter(({ path }) => found.read.includes(path))],
    weights,
  };
}

/** Bytes of several files. */
export const sizeOf = (files: readonly ListedFile[]): number =>
  files.reduce((sum, { size }) => sum + size, 0);

interface Weights {
  model: string;
  /** The files that are read for the weights: an index too. */
  read: string[];
  weights: string[];
}

function weightsIn(repo: string, all: readonly ListedFile[]): Weights {
  const paths = all.map(({ path }) => path);
  if (paths.includes('config.json')) {
    if (paths.includes(ONE_FILE)) return { model: '', read: [ONE_FILE], weights: [ONE_FILE] };
    const shards = paths.filter((path) => SHARD.test(path)).sort();
    if (paths.includes(INDEX) && shards.length > 0)
      return { model: '', read: [INDEX, ...shards], weights: shards };
  }
  const onnx = plainestOnnx(paths);
  if (onnx !== undefined) return onnxWith(repo, all, onnx);
  throw unusable(repo, paths);
}

/** The file in full precision, and not only the encoder or the decoder of a model that has both. */
const ONNX_NAMES = [
  'model.onnx',
  'onnx/model.onnx',
  'decoder_model_merged.onnx',
  'onnx/decoder_model_merged.onnx',
];

function plainestOnnx(paths: readonly string[]): string | undefined {
  const onnx = paths.filter((path) => path.endsWith('.onnx'));
  return ONNX_NAMES.find((name) => onnx.includes(name)) ?? (onnx.length === 1 ? onnx[0] : undefined);
}

/** An ONNX file of a repository, the plainest there is; undefined if it has none. */
export function onnxIn(all: readonly ListedFile[]): string | undefined {
  const paths = all.map(({ path }) => path);
  return plainestOnnx(paths) ?? paths.find((path) => path.endsWith('.onnx'));
}

function onnxWith(repo: string, all: readonly ListedFile[], model: string): Weights {
  const paths = all.map(({ path }) => path);
  if (!model.endsWith('.onnx') || !paths.includes(model))
    throw new AuroraError(
      'usage',
      `${repo} has no ONNX file ${model}.`,
      listed(
        'Its ONNX files are',
        paths.filter((path) => path.endsWith('.onnx')),
      ) ?? 'It has no ONNX files: omit --file.',
    );
  // Exporters name the data after the model: model.onnx_data, model.onnx_data_1, model.onnx.data.
  const data = paths.filter(
    (path) => path.startsWith(model) && /^[._]data(_\d+)?$/.test(path.slice(model.length)),
  );
  return { model, read: [model, ...data], weights: [model, ...data] };
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Weights that Python pickles can run code when they are loaded. */
const PICKLED = /(^|\/)(pytorch_model.*\.bin|.*\.(pth?|ckpt))$/;

function unusable(repo: string, paths: readonly string[]): AuroraError {
  const first = (pattern: RegExp) => paths.find((path) => pattern.test(path));
  const refuse = (why: string, hint: string) => new AuroraError('model', `${repo} ${why}.`, hint);
  if (first(/(^|\/)adapter_(model\.safetensors|config\.json)$/) !== undefined)
    return refuse(
      'is an adapter, not a model',
      'Get the base model that its card names. `aurora import` reads an adapter that was downloaded.',
    );
  const others = first(/\.safetensors$/);
  const pickled = first(PICKLED);
  if (pickled !== undefined && others === undefined)
    return refuse(
      `has its weights only in ${pickled}, a format that can run code when it is loaded`,
      `Look in its pull requests for one by the bot SFconvertbot, "Adding \`safetensors\` variant", and get its revision with --revision refs/pr/NUMBER. Where there is none, the hub's space safetensors/convert opens one for anyone with an account.`,
    );
  if (others !== undefined)
    return refuse(
      paths.includes('config.json')
        ? `has no ${ONE_FILE} and no ${INDEX} with its files, only ${others}`
        : `has ${others}, but no config.json`,
      'Get the repository with the model as transformers loads it; files of other programs and variants of one precision are not read.',
    );
  const onnx = paths.filter((path) => path.endsWith('.onnx'));
  if (onnx.length > 0)
    return refuse(`has ${onnx.length} ONNX files`, listed('Choose one with --file:', onnx)!);
  const quantized = first(/\.gguf$/);
  if (quantized !== undefined)
    return refuse(
      `has its weights only as GGUF (${quantized}), which cannot be trained on`,
      'Get the model that it was made from: its card names it.',
    );
  const foreign = first(/\.(h5|msgpack|tflite|mlmodel)$/);
  return refuse(
    foreign === undefined ? 'has no weights' : `has its weights only in ${foreign}`,
    `A model needs config.json with ${ONE_FILE}, or an ONNX file.`,
  );
}

const listed = (before: string, names: readonly string[]): string | undefined =>
  names.length === 0
    ? undefined
    : `${before} ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}.`;

/** Components with weights, and the names of their files in diffusers or transformers without the ending. */
const WITH_WEIGHTS: Readonly<Record<string, string>> = {
  unet: 'diffusion_pytorch_model',
  vae: 'diffusion_pytorch_model',
  text_encoder: 'model',
  text_encoder_2: 'model',
};
/** The components that every pipeline of this kind has. */
const NEEDED = ['unet', 'vae', 'text_encoder', 'tokenizer', 'scheduler'];
/** In Optimum's layout, the autoencoder is two models. */
const ONNX_COMPONENTS = ['unet', 'vae_encoder', 'vae_decoder', 'text_encoder', 'text_encoder_2'];
const SMALL_FILES: Readonly<Record<string, readonly string[]>> = {
  tokenizer: [
    'tokenizer_config.json',
    'special_tokens_map.json',
    'tokenizer.json',
    'vocab.json',
    'merges.txt',
  ],
  scheduler: ['scheduler_config.json'],
};
const smallFilesOf = (folder: string): readonly string[] => own(SMALL_FILES, folder.replace(/_2$/, '')) ?? [];

/**
 * Chooses the files of a pipeline's repository that training needs: of the U-Net, the autoencoder and each text encoder
 * the config and the weights in one precision, which are those that diffusers' from_pretrained reads without a
 * `variant`, or half precision where there is nothing else; the tokenizers and the scheduler. Weights in one file for
 * other programs, the safety checker and models for other frameworks are left out.
 *
 * @param beside the files above the folders that are wanted: card and license
 * @throws AuroraError 'model' if a component is missing or cannot be read
 */
function choosePipelineFiles(
  repo: string,
  all: readonly ListedFile[],
  beside: readonly ListedFile[],
): ModelFiles {
  const paths = new Set(all.map(({ path }) => path));
  const folders = new Set(all.flatMap(({ path }) => (path.includes('/') ? [path.split('/')[0]] : [])));
  const lacking = NEEDED.find(
    (name) => !folders.has(name) && !(name === 'vae' && folders.has('vae_decoder')),
  );
  if (lacking !== undefined) throw withoutComponent(repo, lacking, [...folders]);
  const found = isOnnx(paths) ? onnxWeights(repo, paths) : storedWeights(repo, paths, folders);
  const components = [...folders].filter(
    (name) => smallFilesOf(name).length > 0 || found.folders.includes(name),
  );
  const small = components.flatMap((name) =>
    ['config.json', ...smallFilesOf(name)].map((file) => `${name}/${file}`),
  );
  const chosen = new Set([PIPELINE_INDEX, ...small, ...found.read]);
  const tokenizer = ['tokenizer/tokenizer.json', 'tokenizer/vocab.json'].find((path) => paths.has(path));
  if (tokenizer === undefined)
    throw new AuroraError(
      'model',
      `${repo} has no tokenizer/vocab.json.`,
      'Get another copy of the pipeline.',
    );
  return {
    model: '',
    tokenizer,
    files: [...beside, ...all.filter(({ path }) => chosen.has(path))],
    weights: found.weights,
  };
}

interface Found {
  folders: string[];
  /** The files that are read for the weights: an index too. */
  read: string[];
  weights: string[];
}

const isOnnx = (paths: ReadonlySet<string>): boolean =>
  paths.has('unet/model.onnx') && ![...paths].some((path) => /^unet\/.*\.safetensors$/.test(path));

function onnxWeights(repo: string, paths: ReadonlySet<string>): Found {
  const folders = ONNX_COMPONENTS.filter((name) => paths.has(`${name}/model.onnx`));
  const lacking = ONNX_COMPONENTS.find((name) => name !== 'text_encoder_2' && !folders.includes(name));
  if (lacking !== undefined) throw withoutComponent(repo, lacking, folders);
  const weights = [...paths].filter((path) => /^[^/]+\/model\.onnx([._]data(_\d+)?)?$/.test(path));
  const read = weights.filter((path) => folders.includes(path.split('/')[0]));
  return { folders, read, weights: read };
}

function storedWeights(repo: string, paths: ReadonlySet<string>, folders: ReadonlySet<string>): Found {
  const of = Object.keys(WITH_WEIGHTS).filter((name) => folders.has(name));
  const each = of.map((name) => weightsOf(repo, `${name}/${WITH_WEIGHTS[name]}`, paths));
  return {
    folders: of,
    read: each.flatMap(({ read }) => read),
    weights: each.flatMap(({ weights }) => weights),
  };
}

/**
 * The weights: one file, an index with its files, or the file in half precision. @param stem
 * "unet/diffusion_pytorch_model"
 */
function weightsOf(repo: string, stem: string, paths: ReadonlySet<string>): Omit<Found, 'folders'> {
  const [folder] = stem.split('/');
  if (!paths.has(`${folder}/config.json`))
    throw new AuroraError(
      'model',
      `${repo} has no ${folder}/config.json.`,
      'Get another copy of the pipeline.',
    );
  const index = `${stem}.safetensors.index.json`;
  const shards = [...paths]
    .filter((p) => p.startsWith(`${stem}-`) && /-\d+-of-\d+\.safetensors$/.test(p))
    .sort();
  for (const path of [
    `${stem}.safetensors`,
    ...(shards.length > 0 ? [index] : []),
    `${stem}.fp16.safetensors`,
  ])
    if (paths.has(path)) {
      const weights = path === index ? shards : [path];
      return { weights, read: path === index ? [index, ...shards] : weights };
    }
  const pickled = [...paths].find((path) => path.startsWith(`${folder}/`) && path.endsWith('.bin'));
  throw new AuroraError(
    'model',
    pickled === undefined
      ? `${repo} has no ${stem}.safetensors.`
      : `${repo} has the weights of ${folder} only in ${pickled}, a format that can run code when it is loaded.`,
    'Get a copy of the pipeline with safetensors; --revision refs/pr/NUMBER gets one from a pull request.',
  );
}

/** Newer pipelines have a transformer in place of the U-Net. */
const withoutComponent = (repo: string, name: string, folders: readonly string[]): AuroraError =>
  new AuroraError(
    'model',
    `${repo} is a pipeline without ${name}/; it has ${folders.join(', ')}.`,
    'Get a pipeline with a U-Net: Stable Diffusion 1 or 2, or SDXL.',
  );
