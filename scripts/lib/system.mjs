import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { Failure, say } from './console.mjs';

const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Chromium's path: $CHROMIUM, else its location on Linux; undefined if there is none. */
export const findChromium = () => [process.env.CHROMIUM, ...CHROMIUMS].find((p) => p && existsSync(p));

/** The browser that drives page and workbench tests; on Debian as root it is installed if missing. */
export function ensureChromium() {
  if (!findChromium()) ensurePackages(['chromium', 'fonts-dejavu-core'], 'or set CHROMIUM to its path');
  const path = findChromium();
  if (!path) throw new Failure('Chromium was not found.', 'Install it, or set CHROMIUM to its path.');
  return path;
}

const DRIVER_FOLDERS = ['/etc', '/usr/share', '/usr/local/share'].map((f) => `${f}/vulkan/icd.d`);

/** True if WebGPU finds a driver; Windows and macOS include one. A listed driver may lack its GPU. */
const hasVulkan = () =>
  process.platform !== 'linux' ||
  [process.env.VK_DRIVER_FILES, process.env.VK_ICD_FILENAMES].some((list) =>
    list?.split(':').some(existsSync),
  ) ||
  DRIVER_FOLDERS.some((f) => existsSync(f) && readdirSync(f).some((name) => name.endsWith('.json')));

/**
 * The GPU driver that WebGPU tests run on: any available one, else Mesa's, which computes on the CPU. Without one,
 * AURORA_TEST_WEBGPU=0 skips those tests, visibly.
 */
export function ensureVulkan() {
  if (process.env.AURORA_TEST_WEBGPU === '0' || hasVulkan()) return;
  ensurePackages(['mesa-vulkan-drivers'], 'or set AURORA_TEST_WEBGPU=0 to skip the tests on WebGPU');
}

/**
 * PyTorch, torchvision and ONNX Runtime from Debian, for the tests that run exports there, and scikit-learn, SciPy,
 * Pillow and SentencePiece, for those that compare metrics, images and tokens. AURORA_TEST_PYTHON=0 skips all of them.
 */
export function ensurePython() {
  const other = process.env.AURORA_TEST_PYTHON;
  if (other !== undefined) return;
  ensurePackages(
    [
      'python3-torch',
      'python3-torchvision',
      'python3-onnxruntime',
      'python3-onnx',
      'python3-safetensors',
      'python3-sklearn',
      'python3-scipy',
      'python3-pil',
      'python3-sentencepiece',
      'python3-protobuf',
    ],
    'or set AURORA_TEST_PYTHON to the path of a Python that has them, or to 0 to skip the tests that need it',
  );
}

/**
 * Slurm, what reaches a login node, and kubectl: the tests start their own daemons. Elsewhere than on Linux, or with
 * AURORA_TEST_SLURM=0, they are skipped, visibly.
 */
export function ensureSlurm() {
  if (process.env.AURORA_TEST_SLURM === '0' || process.platform !== 'linux') return;
  ensurePackages(
    ['slurm-wlm', 'munge', 'openssh-server', 'openssh-client', 'rsync', 'kubernetes-client'],
    'or set AURORA_TEST_SLURM=0 to skip the tests that need them',
  );
}

/** A different wall clock for a process, for clock faults; if it cannot be installed, those are skipped, visibly. */
export function ensureFakeTime() {
  if (process.platform !== 'linux' || process.getuid() !== 0 || !has('apt-get')) return;
  ensurePackages(['libfaketime']);
}

/**
 * Required Debian packages.
 * @param {string[]} names
 * @param {string} [otherwise] an alternative, for the message
 */
export function ensurePackages(names, otherwise) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const root = process.platform === 'linux' && process.getuid() === 0;
  if (!root || !has('apt-get'))
    throw new Failure(
      `These system packages are missing: ${missing.join(', ')}.`,
      `Install them (on Debian or Ubuntu: sudo apt-get install ${missing.join(' ')})${otherwise ? `, ${otherwise}` : ''}; then run this again.`,
    );
  say(`Installing ${missing.join(', ')} …`);
  apt('update', '-qq');
  const install = () => apt('install', '-y', '-qq', '--no-install-recommends', ...missing);
  // A package can vanish from a mirror's cache between the two; a simple retry works.
  if (install() !== 0 && install() !== 0)
    throw new Failure(`apt-get could not install ${missing.join(', ')}; its message is above.`);
}

const isInstalled = (name) => {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout.endsWith(' installed');
};
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const apt = (...args) =>
  spawnSync('apt-get', args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status;
