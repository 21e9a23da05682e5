import { execFileSync, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SOURCES = resolve('test/fixtures/gpu');
const load = createRequire(import.meta.url);

/** Half a gigabyte of native libraries is replaced by small compiled ones, so that the loader really runs. */
export const hasCompiler = spawnSync('cc', ['--version']).status === 0;

export function compile(name: string, output: string, ...args: string[]): void {
  mkdirSync(join(output, '..'), { recursive: true });
  const linker = ['-shared', '-fPIC', '-s', '-Wl,--no-as-needed', '-Wl,--allow-shlib-undefined'];
  execFileSync('cc', [...linker, '-o', output, join(SOURCES, `${name}.c`), ...args]);
}

/** libtensorflow and the binding as published, both .tar.gz: [library, binding]. */
export function tensorflowArchives(gpu = true): [Buffer, Buffer] {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-stand-in-'));
  try {
    const library = join(folder, 'library/lib/libtensorflow.so.2.9.1');
    compile('tensorflow', library, '-Wl,-soname,libtensorflow.so.2');
    execFileSync('ln', ['-s', 'libtensorflow.so.2.9.1', join(folder, 'library/lib/libtensorflow.so.2')]);
    filler(join(folder, 'library/include.bin'));
    const binding = join(folder, 'binding/napi-v8/tfjs_binding.node');
    compile('binding', binding, `-DGPU=${gpu ? 1 : 0}`, library, '-Wl,-rpath,$ORIGIN/../../deps/lib');
    return [tarball(join(folder, 'library'), '.'), tarball(join(folder, 'binding'), 'napi-v8')];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The NuGet package of the CUDA provider, which requires a CUDA library that no machine has. */
export function nupkg(providers = true): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'aurora-stand-in-'));
  try {
    const cublas = join(folder, 'libcublasLt.so.99');
    compile('tensorflow', cublas, '-Wl,-soname,libcublasLt.so.99');
    compile('provider', join(folder, 'cuda.so'), cublas);
    compile('provider', join(folder, 'shared.so'));
    filler(join(folder, 'filler'));
    const Zip = load('adm-zip') as new () => {
      addFile(name: string, data: Buffer): void;
      toBuffer(): Buffer;
    };
    const zip = new Zip();
    const add = (name: string, file: string) =>
      zip.addFile(
        `runtimes/linux-x64/native/libonnxruntime_providers_${name}.so`,
        readFileSync(join(folder, file)),
      );
    add('shared', 'shared.so');
    add('tensorrt', 'shared.so');
    if (providers) add('cuda', 'cuda.so');
    zip.addFile('filler', readFileSync(join(folder, 'filler')));
    return zip.toBuffer();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Enough incompressible data for the download to report progress. */
const filler = (path: string) => execFileSync('sh', ['-c', 'head -c 2000000 /dev/urandom > "$0"', path]);

export const tarball = (folder: string, what: string): Buffer =>
  execFileSync('tar', ['-czf', '-', '-C', folder, what], { maxBuffer: 64 * 2 ** 20 });
