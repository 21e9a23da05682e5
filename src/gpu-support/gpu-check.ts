import { multiplyOnCuda, multiplyOnTensorflow } from '../engine/gpu-products';
import { GPU_PARTS, type GpuCheck, type GpuPart } from '../protocol/gpu-support';
import { askChild } from '../training/process/child';

/** CUDA compiles on first use; a hanging driver is abandoned after this. */
const LIMIT_MS = 180_000;

/**
 * Loads an installed part and computes with it in a separate process: a crashing driver affects nothing else, and
 * nothing stays loaded.
 *
 * @param program this program; runs there as `gpu check --at`
 */
export async function check(program: string, part: GpuPart, folder: string): Promise<GpuCheck> {
  const args = ['gpu', 'check', part, '--at', folder];
  const { answer, printed, how, ended } = await askChild<TriedPart>({ program, args, limit: LIMIT_MS });
  if (!answer)
    return {
      usable: false,
      problem: ended
        ? `${GPU_PARTS[part].title} did not respond within ${LIMIT_MS / 1000} s: the driver may hang.`
        : `The test process for ${GPU_PARTS[part].title} crashed (${how}).`,
      hint: 'Check the GPU driver with nvidia-smi.',
    };
  if (answer.gpu) return { usable: true };
  // The runtimes only print which library is missing.
  const missing = /Could not load dynamic library '[^\n]*|(?<=with error: )[^\n]*/.exec(printed)?.[0];
  return judge(part, missing ?? answer.error ?? 'no GPU was found');
}

/** The child's answer. */
export interface TriedPart {
  gpu?: boolean;
  error?: string;
}

/** Runs in the child. */
export async function tryPart(part: GpuPart, folder: string): Promise<TriedPart> {
  try {
    if (part === 'tensorflow') return { gpu: await multiplyOnTensorflow(folder) };
    await multiplyOnCuda(folder);
    return { gpu: true };
  } catch (e) {
    return { error: (e as Error).message };
  }
}

/** Turns a loader's message into something the user can act on. */
export function judge(part: GpuPart, error: string): GpuCheck {
  const { title, needs } = GPU_PARTS[part];
  const words = error.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  const missing =
    /([\w+.-]+\.so[.\d]*): cannot open shared object file/.exec(error)?.[1] ??
    /dynamic library '([^']+)'/.exec(error)?.[1] ??
    /([\w+.-]+\.dll)/i.exec(error)?.[1];
  const own = missing !== undefined && /^(lib)?(onnxruntime|tensorflow)/.test(missing);
  if (
    own ||
    /invalid ELF header|file too short|wrong ELF class|not a valid Win32|undefined symbol|native addon module/i.test(
      error,
    )
  )
    return {
      usable: false,
      damaged: true,
      problem: `The files of ${title} are incomplete or damaged: ${words}.`,
      hint: 'Install again. If a mirror is set, check what it serves.',
    };
  if (missing !== undefined)
    return {
      usable: false,
      problem: `${title} is installed but not usable: ${missing} is missing.`,
      hint: `Install ${needs}, make sure that the loader finds them (PATH on Windows, LD_LIBRARY_PATH or ldconfig on Linux), then check again.`,
    };
  return {
    usable: false,
    problem: `${title} is installed but not usable: ${words}.`,
    hint: `It needs an NVIDIA GPU with its driver, ${needs}: check the driver with nvidia-smi, then check again.`,
  };
}
