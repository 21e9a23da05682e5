import { spawn } from 'node:child_process';
import { GPU_PARTS, type GpuCheck, type GpuPart } from '../../shared/gpu-support';
import { multiplyOnCuda } from './check-cuda';
import { multiplyOnTensorflow } from './check-tensorflow';

/** CUDA's first start compiles; a driver that hangs is left after this. */
const LIMIT_MS = 180_000;

/**
 * Loads an installed part and computes with it, in a process of its own: a driver that crashes takes nothing
 * along, and nothing stays loaded.
 *
 * @param program this program; its `gpu check --at` is what runs there
 */
export async function check(program: string, part: GpuPart, folder: string): Promise<GpuCheck> {
  const child = spawn(process.execPath, [program, 'gpu', 'check', part, '--at', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
  const leaving = () => child.kill('SIGKILL');
  process.once('exit', leaving);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const end = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  process.off('exit', leaving);
  // The libraries print too; ours is the line that is JSON.
  const line = out.split('\n').findLast((l) => l.startsWith('{'));
  if (line === undefined)
    return {
      usable: false,
      problem: `The process that tried ${GPU_PARTS[part].title} crashed (${end}).`,
      hint: 'Check the driver of the card with nvidia-smi.',
    };
  const result = JSON.parse(line) as TriedPart;
  if (result.gpu) return { usable: true };
  // Which library is missing, the runtimes only print.
  const printed = /Could not load dynamic library '[^\n]*|(?<=with error: )[^\n]*/.exec(err)?.[0];
  return judge(part, printed ?? result.error ?? 'no GPU was found');
}

/** What the child says. */
export interface TriedPart {
  gpu?: boolean;
  error?: string;
}

/** What the child does. */
export async function tryPart(part: GpuPart, folder: string): Promise<TriedPart> {
  try {
    if (part === 'tensorflow') return { gpu: await multiplyOnTensorflow(folder) };
    await multiplyOnCuda(folder);
    return { gpu: true };
  } catch (e) {
    return { error: (e as Error).message };
  }
}

/** A loader's word, as what a person can do about it. */
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
      problem: `The files of ${title} are not whole: ${words}.`,
      hint: 'Install again; where a mirror is set, check what it carries.',
    };
  if (missing !== undefined)
    return {
      usable: false,
      problem: `${title} is installed but not usable: ${missing} is missing.`,
      hint: `Install ${needs}, let the loader find them (PATH on Windows, LD_LIBRARY_PATH or ldconfig on Linux), then check again.`,
    };
  return {
    usable: false,
    problem: `${title} is installed but not usable: ${words}.`,
    hint: `It needs an NVIDIA GPU with its driver, ${needs}: check the driver with nvidia-smi, then check again.`,
  };
}
